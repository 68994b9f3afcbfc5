namespace Shockwave.Engine;

/// <summary>
/// The deadlines of one owner: a hashed wheel with a coarse tick. Used only on the owner.
/// </summary>
/// <remarks>
/// A deadline fires never early and at most two ticks late. The clock runs only while there are deadlines, and not at all where the owner
/// keeps time: each of its ticks would wake a thread of the pool, which then looks around for more to do in the owner's way.
/// Entries due after one turn of the wheel stay in their slot and are passed over until their turn comes.
/// </remarks>
internal sealed class TimerWheel : IOwnerWork
{
    /// <summary>The resolution of every deadline.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private const int SlotCount = 512;

    private readonly TimerEntry?[] _slots = new TimerEntry?[SlotCount];
    private readonly TimeProvider _time;
    private readonly ConnectionOwner _owner;
    private readonly long _start;
    private readonly long _tickLength;
    private ITimer? _clock;
    private int _count;
    private long _lastTick;

    public TimerWheel(TimeProvider time, ConnectionOwner owner)
    {
        _time = time;
        _owner = owner;
        _start = time.GetTimestamp();
        _tickLength = (long)(Tick.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>Gets the number of deadlines set.</summary>
    public int Count => _count;

    /// <summary>Sets or moves the deadline of an entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="dueTimestamp">When it is due, as a timestamp of the owner's clock.</param>
    public void Schedule(TimerEntry entry, long dueTimestamp)
    {
        if (_count == 0)
        {
            StartClock();
        }

        // Rounded up, and at least one tick ahead: never early, and never into the slot that is being swept.
        long tick = Math.Max((dueTimestamp - _start + _tickLength - 1) / _tickLength, _lastTick + 1);
        if (entry.DueTick == tick)
        {
            return;
        }

        Cancel(entry);
        entry.DueTick = tick;
        ref var head = ref _slots[tick % SlotCount];
        entry.NextInSlot = head;
        if (head is not null)
        {
            head.PreviousInSlot = entry;
        }

        head = entry;
        _count++;
    }

    /// <summary>Takes the deadline of an entry away. Harmless when it has none.</summary>
    public void Cancel(TimerEntry entry)
    {
        if (entry.DueTick < 0)
        {
            return;
        }

        if (entry.PreviousInSlot is null)
        {
            _slots[entry.DueTick % SlotCount] = entry.NextInSlot;
        }
        else
        {
            entry.PreviousInSlot.NextInSlot = entry.NextInSlot;
        }

        if (entry.NextInSlot is not null)
        {
            entry.NextInSlot.PreviousInSlot = entry.PreviousInSlot;
        }

        entry.NextInSlot = entry.PreviousInSlot = null;
        entry.DueTick = -1;
        _count--;
    }

    /// <summary>Stops the clock: the owner is at its end, and nothing will be due any more.</summary>
    public void Stop()
    {
        _clock?.Dispose();
        _clock = null;
    }

    /// <summary>Runs everything that is due. Runs on the owner, posted by the clock.</summary>
    void IOwnerWork.Run(object? state, long argument) => Advance(_time.GetTimestamp());

    /// <summary>Runs everything that is due, for an owner that keeps time itself. Cheap where nothing is.</summary>
    /// <param name="timestamp">The time now.</param>
    public void RunDue(long timestamp)
    {
        if (_count > 0 && timestamp >= NextTick)
        {
            Advance(timestamp);
        }
    }

    /// <summary>Says how long an owner that keeps time itself may sleep.</summary>
    /// <param name="timestamp">The time now.</param>
    /// <returns>0 or more; -1 where no deadline is set.</returns>
    public int MillisecondsToNextTick(long timestamp) => _count == 0
        ? -1
        : (int)Math.Ceiling(Math.Max(NextTick - timestamp, 0) * 1000d / _time.TimestampFrequency);

    private long NextTick => _start + ((_lastTick + 1) * _tickLength);

    private void Advance(long timestamp)
    {
        long now = (timestamp - _start) / _tickLength;

        // After a long stall one look at each slot is enough.
        for (long tick = Math.Max(_lastTick + 1, now - SlotCount + 1); tick <= now; tick++)
        {
            _lastTick = tick;
            Sweep(_slots[tick % SlotCount], now);
        }

        if (_count == 0)
        {
            Stop();
        }
    }

    private void Sweep(TimerEntry? entry, long now)
    {
        while (entry is not null)
        {
            // An entry may cancel any other while it runs, so the walk starts over from the slot's head after each one that fires.
            if (entry.DueTick > now)
            {
                entry = entry.NextInSlot;
                continue;
            }

            long slot = entry.DueTick % SlotCount;
            Cancel(entry);
            entry.OnDeadline();
            entry = _slots[slot];
        }
    }

    private void StartClock()
    {
        _lastTick = Math.Max(_lastTick, (_time.GetTimestamp() - _start) / _tickLength - 1);
        if (_clock is not null || _owner.KeepsTime)
        {
            return;
        }

        // The clock belongs to no request: nothing ambient may flow into it.
        var flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        try
        {
            _clock = _time.CreateTimer(static wheel => ((TimerWheel)wheel!).PostTick(), this, Tick, Tick);
        }
        finally
        {
            if (flow != default)
            {
                flow.Undo();
            }
        }
    }

    private void PostTick() => _owner.Post(this);
}
