using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Shockwave.AspNetCore;

/// <summary>A listener that lets connections in as the limits of the application say, counts them as Kestrel does, each listener by itself, and sets their deadlines.</summary>
internal sealed class LimitedListener(IConnectionListener inner, AcceptLimits limits, HandshakeDeadlines deadlines, long? maxConnections) : IConnectionListener
{
    private readonly long _max = maxConnections ?? long.MaxValue;

    // Never disposed: it has no timer, and an accept may still be under way.
    private readonly CancellationTokenSource _unbinding = new();
    private long _count;

    public HandshakeDeadlines Deadlines => deadlines;

    public EndPoint EndPoint => inner.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await inner.AcceptAsync(cancellationToken).ConfigureAwait(false) is { } accepted)
        {
            await limits.WaitAsync(_unbinding.Token).ConfigureAwait(false);
            if (limits.TryEnter())
            {
                var connection = new AcceptedConnection(accepted, this, isBeyondLimit: !TryCount());
                deadlines.Add(connection);
                return connection;
            }

            // Not awaited: those behind it need not wait until its loop has its turn.
            _ = CloseAsync(accepted);
        }

        return null;
    }

    /// <summary>Says that a connection was upgraded or has ended.</summary>
    public void Release(AcceptedConnection connection)
    {
        limits.Leave();
        if (!connection.IsBeyondLimit)
        {
            Interlocked.Decrement(ref _count);
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _unbinding.CancelAsync().ConfigureAwait(false);
        await inner.UnbindAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private static async Task CloseAsync(ConnectionContext connection)
    {
        connection.Abort(new ConnectionAbortedException("There are too many TCP connections."));
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    // One at a time accepts, so only others' releases come between: the count can be too high, and never too low.
    private bool TryCount()
    {
        if (Volatile.Read(ref _count) >= _max)
        {
            return false;
        }

        Interlocked.Increment(ref _count);
        return true;
    }
}
