using Microsoft.AspNetCore.Connections;

namespace Shockwave.AspNetCore;

/// <summary>Ends the connections that send no request in time. Any thread.</summary>
/// <remarks>
/// Kestrel gives a connection that sends nothing at all its keep-alive timeout, 130 seconds, and counts the time for a request's head
/// from its first byte. All deadlines are equally long, so they lie in the order in which they come due, and one timer serves all.
/// </remarks>
internal sealed class HandshakeDeadlines : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly Action _onExpired;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly LinkedList<(AcceptedConnection Connection, long Due)> _waiting = [];

    public HandshakeDeadlines(TimeSpan timeout, TimeProvider time, Action onExpired)
    {
        _timeout = timeout;
        _time = time;
        _onExpired = onExpired;
        _timer = time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gets how many connections have not sent a request yet.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    public void Add(AcceptedConnection connection)
    {
        lock (_lock)
        {
            connection.Deadline = _waiting.AddLast((connection, _time.GetTimestamp() + (long)(_timeout.TotalSeconds * _time.TimestampFrequency)));
            if (_waiting.Count == 1)
            {
                SetTimer();
            }
        }
    }

    public void Remove(AcceptedConnection connection)
    {
        lock (_lock)
        {
            if (connection.Deadline is { } node)
            {
                connection.Deadline = null;
                _waiting.Remove(node);
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Expire()
    {
        var expired = new List<AcceptedConnection>();
        lock (_lock)
        {
            long now = _time.GetTimestamp();
            while (_waiting.First is { } first && first.Value.Due <= now)
            {
                _waiting.RemoveFirst();
                first.Value.Connection.Deadline = null;
                expired.Add(first.Value.Connection);
            }

            SetTimer();
        }

        foreach (var connection in expired)
        {
            _onExpired();
            connection.Abort(new ConnectionAbortedException("The connection sent no request in time."));
        }
    }

    private void SetTimer()
    {
        if (_waiting.First is { } first)
        {
            // A millisecond more than what is left: a timer that is early would find nothing due.
            long left = Math.Max(0, first.Value.Due - _time.GetTimestamp());
            _timer.Change(_time.GetElapsedTime(0, left) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
    }
}
