namespace Shockwave.AspNetCore;

/// <summary>So many a second, and twice as many after a quiet time. Not thread-safe.</summary>
/// <remarks>
/// The generic cell rate algorithm: instead of tokens and a timer that refills them it keeps the time at which all that was taken is paid
/// for. TokenBucketRateLimiter would do, but takes no <see cref="TimeProvider"/>.
/// </remarks>
internal sealed class RateLimit(int perSecond, TimeProvider time)
{
    private readonly long _interval = Math.Max(1, time.TimestampFrequency / perSecond);
    private long _paidAt = long.MinValue;

    // A burst of n is n - 1 intervals ahead of time when its last one comes.
    private long Ahead => ((2L * perSecond) - 1) * _interval;

    /// <summary>Takes one if there is one.</summary>
    /// <returns>How long to wait for the next; zero if it was taken.</returns>
    public TimeSpan Take() => Take(mayOwe: false);

    /// <summary>Takes one in any case.</summary>
    /// <returns>How long to wait until it would have been there.</returns>
    public TimeSpan TakeAhead() => Take(mayOwe: true);

    private TimeSpan Take(bool mayOwe)
    {
        long now = time.GetTimestamp();
        long paidAt = Math.Max(_paidAt, now);
        var wait = paidAt - now > Ahead ? time.GetElapsedTime(now + Ahead, paidAt) : TimeSpan.Zero;
        if (mayOwe || wait == TimeSpan.Zero)
        {
            _paidAt = paidAt + _interval;
        }

        return wait;
    }
}
