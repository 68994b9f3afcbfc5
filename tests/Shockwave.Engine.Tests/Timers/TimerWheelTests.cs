using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class TimerWheelTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly ManualOwner _owner;

    public TimerWheelTests() => _owner = new ManualOwner(_time);

    [Theory]
    [InlineData(1)]
    [InlineData(250)]
    [InlineData(999)]
    [InlineData(5_000)]
    [InlineData(128_000)]
    [InlineData(300_001)]
    public void Deadline_FiresOnceNeverEarlyAndAtMostTwoTicksLate(int milliseconds)
    {
        var entry = new Entry(_time);
        _time.Advance(TimeSpan.FromMilliseconds(77));
        long start = _time.GetTimestamp();
        _owner.Timers.Schedule(entry, start + TimeSpan.FromMilliseconds(milliseconds).Ticks);
        while (entry.FiredAt.Count == 0 && _time.GetElapsedTime(start) < TimeSpan.FromMinutes(10))
        {
            Step();
        }

        var late = TimeSpan.FromTicks(Assert.Single(entry.FiredAt) - start) - TimeSpan.FromMilliseconds(milliseconds);
        Assert.InRange(late, TimeSpan.Zero, 2 * TimerWheel.Tick);
        Assert.Equal(0, _owner.Timers.Count);
    }

    [Fact]
    public void DeadlineInThePast_FiresAtTheNextTick()
    {
        _time.Advance(TimeSpan.FromHours(3));
        var entry = new Entry(_time);
        _owner.Timers.Schedule(entry, _time.GetTimestamp() - TimeSpan.TicksPerHour);
        Step();
        Step();
        Assert.Single(entry.FiredAt);
    }

    [Fact]
    public void CancelledDeadline_NeverFires()
    {
        Entry[] entries = [.. Enumerable.Range(0, 3).Select(_ => new Entry(_time))];
        foreach (var entry in entries)
        {
            _owner.Timers.Schedule(entry, _time.GetTimestamp() + TimeSpan.TicksPerSecond);
        }

        _owner.Timers.Cancel(entries[1]);
        _owner.Timers.Cancel(entries[1]);
        AdvanceBy(TimeSpan.FromSeconds(3));
        Assert.Equal([1, 0, 1], entries.Select(entry => entry.FiredAt.Count));
    }

    [Fact]
    public void EntryThatCancelsItsNeighbours_DoesNotDisturbTheOthers()
    {
        Entry[] entries = [.. Enumerable.Range(0, 5).Select(_ => new Entry(_time))];
        foreach (var entry in entries)
        {
            entry.Action = () =>
            {
                _owner.Timers.Cancel(entries[0]);
                _owner.Timers.Cancel(entries[2]);
            };
            _owner.Timers.Schedule(entry, _time.GetTimestamp() + TimeSpan.TicksPerSecond);
        }

        AdvanceBy(TimeSpan.FromSeconds(3));
        Assert.Equal([0, 1, 0, 1, 1], entries.Select(entry => entry.FiredAt.Count));
    }

    [Fact]
    public void EntryThatSchedulesItselfAgain_FiresAtItsNewDeadline()
    {
        var entry = new Entry(_time);
        entry.Action = () =>
        {
            if (entry.FiredAt.Count < 5)
            {
                _owner.Timers.Schedule(entry, _time.GetTimestamp());
            }
        };
        _owner.Timers.Schedule(entry, _time.GetTimestamp() + TimeSpan.TicksPerSecond);
        AdvanceBy(TimeSpan.FromSeconds(10));
        Assert.Equal(5, entry.FiredAt.Count);
        Assert.Equal(entry.FiredAt.Distinct(), entry.FiredAt);
    }

    [Fact]
    public void LongStall_StillFiresEverything()
    {
        Entry[] entries = [.. Enumerable.Range(1, 2000).Select(_ => new Entry(_time))];
        for (int i = 0; i < entries.Length; i++)
        {
            _owner.Timers.Schedule(entries[i], _time.GetTimestamp() + (i * TimeSpan.TicksPerSecond / 10));
        }

        _time.Advance(TimeSpan.FromHours(1));
        _owner.RunAll();
        Assert.All(entries, entry => Assert.Single(entry.FiredAt));
        Assert.Equal(0, _owner.Timers.Count);
    }

    [Fact]
    public void RandomSchedule_AgreesWithANaiveModel()
    {
        var random = new Random(20261121);
        Entry[] entries = [.. Enumerable.Range(0, 50).Select(_ => new Entry(_time))];
        var due = new Dictionary<Entry, long>();
        for (int step = 0; step < 20_000; step++)
        {
            var entry = entries[random.Next(entries.Length)];
            if (random.Next(3) == 0)
            {
                _owner.Timers.Cancel(entry);
                due.Remove(entry);
            }
            else
            {
                due[entry] = _time.GetTimestamp() + random.NextInt64(200 * TimeSpan.TicksPerSecond);
                _owner.Timers.Schedule(entry, due[entry]);
            }

            int[] before = [.. entries.Select(e => e.FiredAt.Count)];
            Step();
            for (int i = 0; i < entries.Length; i++)
            {
                if (entries[i].FiredAt.Count > before[i])
                {
                    Assert.True(due.Remove(entries[i], out long expected), "fired without a deadline");
                    Assert.InRange(entries[i].FiredAt[^1] - expected, 0, 2 * TimerWheel.Tick.Ticks);
                }
            }

            Assert.DoesNotContain(due.Values, value => value + (2 * TimerWheel.Tick.Ticks) < _time.GetTimestamp());
            Assert.Equal(due.Count, _owner.Timers.Count);
        }
    }

    private void Step()
    {
        _time.Advance(TimerWheel.Tick);
        _owner.RunAll();
    }

    private void AdvanceBy(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimerWheel.Tick)
        {
            Step();
        }
    }

    private sealed class Entry(TimeProvider time) : TimerEntry
    {
        public List<long> FiredAt { get; } = [];

        public Action? Action { get; set; }

        protected internal override void OnDeadline()
        {
            FiredAt.Add(time.GetTimestamp());
            Action?.Invoke();
        }
    }
}
