using System.Collections.Concurrent;

namespace Shockwave.Engine;

/// <summary>The portable owner: a queue that one thread-pool work item drains at a time. Kestrel's <c>IOQueue</c> is the model.</summary>
internal sealed class Strand : ConnectionOwner, IThreadPoolWorkItem
{
    // Ends a turn now and then although the queue is not empty: what was written must not wait for a flood to end.
    private const int MaxWorkPerTurn = 64;

    [ThreadStatic]
    private static Strand? _current;

    private readonly ConcurrentQueue<OwnerWork> _queue = new();
    private int _isRunning;

    public Strand(TimeProvider time)
        : base(time)
    {
    }

    /// <inheritdoc />
    public override bool IsCurrent => _current == this;

    /// <inheritdoc />
    public override void Post(IOwnerWork target, object? state = null, long argument = 0)
    {
        _queue.Enqueue(new OwnerWork(target, state, argument));
        if (TryAcquire())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <inheritdoc />
    public override void Run(IOwnerWork target, object? state = null, long argument = 0)
    {
        _queue.Enqueue(new OwnerWork(target, state, argument));
        if (TryAcquire())
        {
            DrainHereOrOnThreadPool();
        }
    }

    void IThreadPoolWorkItem.Execute() => Drain();

    private bool TryAcquire() => Volatile.Read(ref _isRunning) == 0 && Interlocked.Exchange(ref _isRunning, 1) == 0;

    private void DrainHereOrOnThreadPool()
    {
        // A thread that is another strand's must not become ours in the middle of its turn, nor one that is not the pool's at all.
        // No context means that its flow is suppressed, and then it could not be put back as it was.
        if (_current is not null || !Thread.CurrentThread.IsThreadPoolThread || ExecutionContext.Capture() is not { } outer)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return;
        }

        Drain();
        ExecutionContext.Restore(outer);
    }

    private void Drain()
    {
        CleanContext.Restore();
        _current = this;
        do
        {
            do
            {
                BeginTurn();
                int count = 0;
                while (_queue.TryDequeue(out var work))
                {
                    work.Target.Run(work.State, work.Argument);
                    if (++count == MaxWorkPerTurn)
                    {
                        EndTurn();
                        BeginTurn();
                        count = 0;
                    }
                }
            }
            while (EndTurn());

            // The flag is cleared before the queue is looked at again, and a poster enqueues before it looks at the flag:
            // with a full fence on both sides one of the two sees the other, so no work is left behind.
            _current = null;
            Interlocked.Exchange(ref _isRunning, 0);
            if (_queue.IsEmpty || !TryAcquire())
            {
                return;
            }

            _current = this;
        }
        while (true);
    }
}
