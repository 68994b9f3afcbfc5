using System.Net;
using System.Net.Sockets;

namespace Shockwave.Engine;

/// <summary>An address that loops accept connections from, each through a socket of its own. Any thread.</summary>
internal sealed class Listener : IOwnerWork
{
    private readonly (EventLoop Loop, Acceptor Acceptor)[] _acceptors;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open;
    private int _isStopping;

    private Listener(IPEndPoint endPoint, (EventLoop, Acceptor)[] acceptors)
    {
        EndPoint = endPoint;
        _acceptors = acceptors;
        _open = acceptors.Length;
    }

    /// <summary>Gets the address, with the port that the kernel chose where 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Binds the address and begins to accept.</summary>
    /// <param name="loops">Who accepts.</param>
    /// <param name="endPoint">The address; port 0 takes a free one.</param>
    /// <param name="backlog">How many connections may wait for each loop.</param>
    /// <param name="accepted">Gets each connection, not yet started, on its loop. Must not throw.</param>
    /// <param name="exhausted">Told the error number, on a loop, when accepting pauses for want of descriptors or memory.</param>
    /// <param name="hasRoom">Asked on a loop after each connection; if there is no room for another, accepting pauses until <see cref="Resume"/>.</param>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static Listener Bind(
        IReadOnlyList<EventLoop> loops, IPEndPoint endPoint, int backlog, Action<SocketTransport> accepted, Action<int> exhausted, Func<bool>? hasRoom = null)
    {
        var system = loops[0].System;
        var sockets = new List<int>();
        try
        {
            // Of several sockets on one port each wants the others' leave; a first one without it finds out whether the port is free:
            // with it, a second server on the same port would start and silently take half of the connections.
            if (loops.Count > 1)
            {
                int probe = Open(system, endPoint, isShared: false, backlog: null);
                endPoint = SocketAddresses.Get(system, probe, isPeer: false)!;
                system.Close(probe);
            }

            foreach (var loop in loops)
            {
                sockets.Add(Open(system, endPoint, isShared: loops.Count > 1, backlog));
            }
        }
        catch
        {
            sockets.ForEach(socket => system.Close(socket));
            throw;
        }

        var bound = SocketAddresses.Get(system, sockets[0], isPeer: false)!;
        var listener = new Listener(bound, [.. loops.Zip(sockets, (loop, socket) => (loop, new Acceptor(loop, socket, accepted, exhausted, hasRoom)))]);
        listener.PostAll(Begin);
        return listener;
    }

    /// <summary>Says that there is room for more connections than a loop has found.</summary>
    public void Resume() => PostAll(Continue);

    /// <summary>Accepts everybody who waits and closes the sockets. Harmless when repeated.</summary>
    public Task StopAsync()
    {
        if (Interlocked.Exchange(ref _isStopping, 1) == 0)
        {
            PostAll(Close);
        }

        return _stopped.Task;
    }

    private const long Begin = 0;
    private const long Continue = 1;
    private const long Close = 2;

    private void PostAll(long step)
    {
        foreach (var (loop, acceptor) in _acceptors)
        {
            loop.Post(this, acceptor, step);
        }
    }

    void IOwnerWork.Run(object? state, long argument)
    {
        var acceptor = (Acceptor)state!;
        if (argument == Begin)
        {
            acceptor.Open();
            return;
        }

        if (argument == Continue)
        {
            acceptor.Resume();
            return;
        }

        acceptor.Close();
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _stopped.TrySetResult();
        }
    }

    private static int Open(SystemCalls system, IPEndPoint endPoint, bool isShared, int? backlog)
    {
        int socket = Check(system.OpenSocket(SocketAddresses.FamilyOf(endPoint), isNonBlocking: true));
        try
        {
            // After a restart the port may still be in TIME_WAIT.
            Check(system.SetOption(socket, SocketOption.SOL_SOCKET, SocketOption.SO_REUSEADDR, 1));
            if (isShared)
            {
                Check(system.SetOption(socket, SocketOption.SOL_SOCKET, SocketOption.SO_REUSEPORT, 1));
            }

            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                Check(system.SetOption(socket, SocketOption.IPPROTO_IPV6, SocketOption.IPV6_V6ONLY, 0));
            }

            // Accepted sockets inherit it.
            Check(system.SetOption(socket, SocketOption.IPPROTO_TCP, SocketOption.TCP_NODELAY, 1));
            Check(system.Bind(socket, SocketAddresses.Write(endPoint)));
            if (backlog is { } count)
            {
                Check(system.Listen(socket, count));
            }

            return socket;
        }
        catch
        {
            system.Close(socket);
            throw;
        }
    }

    private static int Check(int result) => result >= 0 ? result : throw SocketErrors.ToException(-result);
}
