using Shockwave.Engine;

namespace Shockwave.Micro;

/// <summary>An owner that is the benchmark's thread whenever it says so. Single-threaded, with a clock that sets off no timer.</summary>
internal sealed class ManualOwner() : ConnectionOwner(new TimerlessClock())
{
    private readonly Queue<OwnerWork> _queue = new();
    private bool _isCurrent;

    /// <inheritdoc />
    public override bool IsCurrent => _isCurrent;

    /// <inheritdoc />
    public override void Post(IOwnerWork target, object? state = null, long argument = 0) => _queue.Enqueue(new OwnerWork(target, state, argument));

    /// <inheritdoc />
    public override void Run(IOwnerWork target, object? state = null, long argument = 0) => Post(target, state, argument);

    public new void BeginTurn()
    {
        base.BeginTurn();
        _isCurrent = true;
    }

    /// <summary>Runs what was posted and sends what was written.</summary>
    public new void EndTurn()
    {
        while (_queue.TryDequeue(out OwnerWork work))
        {
            work.Target.Run(work.State, work.Argument);
        }

        base.EndTurn();
        _isCurrent = false;
    }

    private sealed class TimerlessClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();
    }

    private sealed class NoTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
