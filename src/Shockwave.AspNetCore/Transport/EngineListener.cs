using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Shockwave.Engine;

namespace Shockwave.AspNetCore;

/// <summary>Hands connections that the loops accept to Kestrel. When many wait for it, the loops accept no more until half of them are taken.</summary>
internal sealed class EngineListener : IConnectionListener
{
    // Enough that Kestrel has always one to take; as many more wait in each loop's queue of the kernel.
    public const int MaxWaiting = 512;

    // Many loops write, Kestrel reads.
    private readonly Channel<EngineConnection> _accepted = Channel.CreateUnbounded<EngineConnection>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Listener _listener;
    private int _waiting;

    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be bound.</exception>
    public EngineListener(LoopGroup loops, IPEndPoint endPoint, int backlog, Func<SocketTransport, EngineConnection> open)
    {
        _listener = loops.Listen(endPoint, backlog, transport =>
        {
            var connection = open(transport);
            connection.Start();
            Interlocked.Increment(ref _waiting);
            if (!_accepted.Writer.TryWrite(connection))
            {
                transport.Abort();
            }
        },
        () => Volatile.Read(ref _waiting) < MaxWaiting);
    }

    /// <inheritdoc />
    public EndPoint EndPoint => _listener.EndPoint;

    /// <inheritdoc />
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_accepted.Reader.TryRead(out var connection))
            {
                // Each time that the count falls it passes here once, and it falls after any that a loop found too high.
                if (Interlocked.Decrement(ref _waiting) == MaxWaiting / 2)
                {
                    _listener.Resume();
                }

                return connection;
            }
        }

        return null;
    }

    /// <inheritdoc />
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        // Whoever waited in a queue of the kernel is accepted and served; only then nobody else comes.
        await _listener.StopAsync().ConfigureAwait(false);
        _accepted.Writer.TryComplete();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        while (_accepted.Reader.TryRead(out var connection))
        {
            connection.Abort();
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
