namespace Shockwave.Engine;

/// <summary>Something with one deadline in a <see cref="TimerWheel"/>. The entry is its own list node: setting a deadline allocates nothing.</summary>
internal abstract class TimerEntry
{
    internal TimerEntry? NextInSlot { get; set; }

    internal TimerEntry? PreviousInSlot { get; set; }

    // The tick at which it is due; -1 when it has no deadline.
    internal long DueTick { get; set; } = -1;

    /// <summary>Runs on the owner once the deadline has passed. The entry has no deadline any more.</summary>
    protected internal abstract void OnDeadline();
}
