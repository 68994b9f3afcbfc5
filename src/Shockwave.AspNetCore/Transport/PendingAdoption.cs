using System.Net;
using Shockwave.Engine;

namespace Shockwave.AspNetCore;

/// <summary>
/// An upgraded connection between its 101 response and its first turn on the loop that serves it. Counted all that time, so that a server
/// that stops does not overlook it, and so that no limit is passed: its place was reserved, and goes on to the connection. Ends with <see cref="Begin"/> or <see cref="Withdraw"/>.
/// </summary>
internal sealed class PendingAdoption : IOwnerWork
{
    private readonly ShockwaveRuntime _runtime;
    private readonly MessageDispatcher _dispatcher;
    private readonly UpgradeDetails _upgrade;
    private volatile bool _isConfirmed;
    private Shard? _shard;

    /// <param name="runtime">The server that the connection will belong to.</param>
    /// <param name="dispatcher">Who will get its messages.</param>
    /// <param name="upgrade">What the opening handshake left behind.</param>
    /// <param name="bytesWritten">How many bytes Kestrel had written when the 101 was out: not one may follow.</param>
    public PendingAdoption(ShockwaveRuntime runtime, MessageDispatcher dispatcher, UpgradeDetails upgrade, long bytesWritten)
    {
        _runtime = runtime;
        _dispatcher = dispatcher;
        _upgrade = upgrade;
        BytesWritten = bytesWritten;
        runtime.Server.Expect();
    }

    public long BytesWritten { get; }

    /// <summary>Gets whether all middleware around the endpoint returned properly.</summary>
    public bool IsConfirmed => _isConfirmed;

    public void Confirm() => _isConfirmed = true;

    /// <summary>Gives the socket to the loop with the fewest connections, and the connection its first turn there.</summary>
    /// <param name="transport">The socket, on its owner: paused, with what was received and not consumed; nothing unsent.</param>
    public void Begin(SocketTransport transport)
    {
        // Also when it stays: a new transport lies in memory beside the connection that it will serve, not among what Kestrel allocated
        // before. With hundreds of connections in turn that saves a look into the page tables for each message.
        _shard = _runtime.Server.PlaceOnLoop(transport.Owner);
        transport.Detach(this);
    }

    /// <summary>Says that the connection ended before it began.</summary>
    public void Withdraw(string reason)
    {
        _runtime.Server.Forget();
        _runtime.Limits.Release((_upgrade.RemoteEndPoint as IPEndPoint)?.Address);
        ShockwaveLog.NotAdopted(_runtime.Logger, reason);
    }

    // First on the loop that the socket leaves, then on the one that it goes to.
    void IOwnerWork.Run(object? state, long argument)
    {
        var shard = _shard!;
        if (!shard.Owner.IsCurrent)
        {
            shard.Owner.Post(this, state, argument);
            return;
        }

        Open(shard, (EventLoop)shard.Owner, (DetachedSocket)state!);
    }

    private void Open(Shard shard, EventLoop loop, DetachedSocket detached)
    {
        SocketTransport transport;
        try
        {
            transport = loop.Open(detached.Socket);
        }
        catch (EngineException e)
        {
            loop.System.Close(detached.Socket);
            shard.AddLoad(-1);
            Withdraw(e.Message);
            return;
        }

        if (detached.Unread.Length > 0)
        {
            transport.Unread(detached.Unread);
        }

        Serve(shard, transport);
    }

    private void Serve(Shard shard, SocketTransport transport)
    {
        transport.NeverPauses = _dispatcher is PushDispatcher;
        transport.Resume();
        _runtime.Server.Adopt(shard, transport, _dispatcher, _upgrade);
    }
}
