namespace Shockwave.Engine;

/// <summary>Decides whether a loop looks again and again for events before it blocks: saves the wake-up where the next message is near.</summary>
/// <remarks>
/// Bounded by the time given; adaptive: every spin that found nothing makes the loop sit out twice as many of the next waits, so that a
/// loop whose connections are idle gives its core back. A wait that turns out short makes spinning worthwhile again.
/// </remarks>
internal sealed class BusyPoll(TimeSpan limit, TimeProvider time)
{
    private const int MaxPenalty = 1024;

    // The clock is read once for so many looks: each of them is a system call already, but a short one.
    private const int LooksPerClock = 8;

    private readonly long _limit = (long)(limit.TotalSeconds * time.TimestampFrequency);
    private long _end;
    private int _looks;
    private int _penalty;
    private int _sitOut;

    /// <summary>Gets whether the loop may spin at all.</summary>
    public bool IsEnabled => _limit > 0;

    /// <summary>Gets whether to spin before this wait. Asked once for each.</summary>
    public bool IsWorthwhile => _sitOut == 0 || --_sitOut == 0;

    /// <summary>Gets whether to look once more; false once the time is over.</summary>
    public bool GoesOn
    {
        get
        {
            if (++_looks % LooksPerClock != 0 || time.GetTimestamp() < _end)
            {
                return true;
            }

            _penalty = Math.Clamp(_penalty * 2, 1, MaxPenalty);
            _sitOut = _penalty;
            return false;
        }
    }

    /// <summary>Begins to spin, or to block.</summary>
    public void Begin()
    {
        _end = time.GetTimestamp() + _limit;
        _looks = 0;
    }

    /// <summary>Says that something was found.</summary>
    public void Hit() => _penalty = _sitOut = 0;

    /// <summary>Says that a wait without a spin is over: had a spin found something, the next one is made.</summary>
    public void Blocked()
    {
        if (time.GetTimestamp() < _end)
        {
            Hit();
        }
    }
}
