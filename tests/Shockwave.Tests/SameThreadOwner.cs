using Shockwave.Engine;

namespace Shockwave.Tests;

/// <summary>An owner that is the test's thread, and runs its work when the test says so.</summary>
internal sealed class SameThreadOwner(TimeProvider time) : ConnectionOwner(time)
{
    private readonly Queue<OwnerWork> _queue = new();

    public override bool IsCurrent => true;

    public override void Post(IOwnerWork target, object? state = null, long argument = 0) => _queue.Enqueue(new OwnerWork(target, state, argument));

    public override void Run(IOwnerWork target, object? state = null, long argument = 0) => Post(target, state, argument);

    public void RunAll()
    {
        do
        {
            BeginTurn();
            while (_queue.TryDequeue(out var work))
            {
                work.Target.Run(work.State, work.Argument);
            }
        }
        while (EndTurn());
    }
}
