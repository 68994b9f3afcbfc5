using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Shockwave.AspNetCore;

/// <summary>A listener that counts its connections as Kestrel does, each listener by itself, and sets their deadlines.</summary>
internal sealed class LimitedListener(IConnectionListener inner, HandshakeDeadlines deadlines, long? maxConnections) : IConnectionListener
{
    private readonly long _max = maxConnections ?? long.MaxValue;
    private long _count;

    public HandshakeDeadlines Deadlines => deadlines;

    public EndPoint EndPoint => inner.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (await inner.AcceptAsync(cancellationToken).ConfigureAwait(false) is not { } accepted)
        {
            return null;
        }

        var connection = new AcceptedConnection(accepted, this, isBeyondLimit: !TryCount());
        deadlines.Add(connection);
        return connection;
    }

    public void Release() => Interlocked.Decrement(ref _count);

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => inner.UnbindAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

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
