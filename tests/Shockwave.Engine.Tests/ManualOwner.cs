using System.Buffers;

namespace Shockwave.Engine.Tests;

/// <summary>An owner that runs its work when the test says so, on the test's thread.</summary>
internal sealed class ManualOwner(TimeProvider time, ArrayPool<byte>? buffers = null) : ConnectionOwner(time, buffers)
{
    private readonly Queue<OwnerWork> _queue = new();

    public override bool IsCurrent => true;

    public override void Post(IOwnerWork target, object? state = null, long argument = 0)
    {
        lock (_queue)
        {
            _queue.Enqueue(new OwnerWork(target, state, argument));
        }
    }

    public override void Run(IOwnerWork target, object? state = null, long argument = 0) => Post(target, state, argument);

    public void RunAll()
    {
        do
        {
            BeginTurn();
            while (TryTake(out var work))
            {
                work.Target.Run(work.State, work.Argument);
                EndTurn();
                BeginTurn();
            }
        }
        while (EndTurn());
    }

    private bool TryTake(out OwnerWork work)
    {
        lock (_queue)
        {
            return _queue.TryDequeue(out work);
        }
    }
}
