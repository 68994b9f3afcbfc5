using System.Buffers;
using System.Collections.Concurrent;

namespace Shockwave.Engine;

/// <summary>An owner with a thread of its own, which waits for its sockets: accepts, receives, sends and keeps time for them.</summary>
/// <remarks>
/// A turn: wait for the kernel, handle what it reports, run what was posted, send what was written. The loop blocks only when nothing is
/// left of any of these. What differs between epoll and io_uring is below; everything here is common to both.
/// <see cref="Stop"/> ends the thread, which first aborts the connections it still has.
/// </remarks>
internal abstract class EventLoop : ConnectionOwner
{
    /// <summary>How much of a connection's objects it takes to serve it.</summary>
    public const int ServedBytes = 256;

    // Posted work is cut into portions, so that sockets are looked at also while other threads post without end.
    private const int MaxWorkPerTurn = 1024;

    // A blocked loop is woken by whoever posts; a running one finds the work by itself.
    private const int Running = 0;
    private const int Blocked = 1;

    private readonly ConcurrentQueue<OwnerWork> _inbox = new();
    private readonly HashSet<Acceptor> _acceptors = [];
    private readonly int _wakeEvent;
    private Thread? _thread;
    private int _threadId;
    private int _state;
    private int _wakers;
    private int _connectionCount;
    private bool _hasUnflushed;
    private volatile bool _isStopping;

    protected EventLoop(SystemCalls system, TimeProvider time, TimeSpan busyPoll, ArrayPool<byte>? buffers = null)
        : base(time, buffers)
    {
        System = system;
        BusyPoll = new BusyPoll(busyPoll, time);

        // Only this clock's time goes by while the kernel waits.
        KeepsTime = time == TimeProvider.System;
        _wakeEvent = EngineException.Check(system.EventCreate(), "eventfd");
    }

    /// <summary>Gets the kernel.</summary>
    public SystemCalls System { get; }

    /// <summary>Gets how the loop spins before it blocks. On the loop, but for <see cref="BusyPoll.IsEnabled"/>.</summary>
    public BusyPoll BusyPoll { get; }

    /// <summary>Gets how many connections the loop has. Any thread; at about this instant.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <inheritdoc />
    public override bool IsCurrent => Environment.CurrentManagedThreadId == Volatile.Read(ref _threadId);

    protected int WakeEvent => _wakeEvent;

    /// <inheritdoc />
    public override void Post(IOwnerWork target, object? state = null, long argument = 0)
    {
        _inbox.Enqueue(new OwnerWork(target, state, argument));
        if (!IsCurrent)
        {
            Wake();
        }
    }

    /// <inheritdoc />
    public override void Run(IOwnerWork target, object? state = null, long argument = 0) => Post(target, state, argument);

    /// <summary>Starts the thread. Once.</summary>
    /// <param name="name">The thread's name, for debuggers and <c>top -H</c>.</param>
    /// <exception cref="EngineException">The kernel refuses what the loop needs.</exception>
    public void Start(string name)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // Without flow: the thread must never see what is ambient to whoever starts the server.
        _thread = new Thread(() => RunToEnd(begun)) { Name = name, IsBackground = true };
        _thread.UnsafeStart();
        begun.Task.GetAwaiter().GetResult();
    }

    /// <summary>Ends the loop and waits for it. Work posted before still runs; connections left are aborted. Not from the loop itself.</summary>
    public void Stop()
    {
        _isStopping = true;
        Wake();
        _thread?.Join();
    }

    /// <summary>Makes the transport of a connected socket. On the loop.</summary>
    public abstract SocketTransport Open(int socket);

    /// <summary>Gets whether the loop wants sockets whose calls return at once. It opens its own ones like that.</summary>
    public abstract bool WantsNonBlockingSockets { get; }

    /// <summary>Connects the connector's socket, and tells it the result: at once or later. On the loop.</summary>
    public abstract void Connect(Connector connector);

    /// <summary>Ends an attempt that has no result yet: the result is ECANCELED then, or what came before. On the loop.</summary>
    public abstract void CancelConnect(Connector connector);

    /// <summary>Begins to accept from a listening socket. On the loop.</summary>
    public void Add(Acceptor acceptor)
    {
        _acceptors.Add(acceptor);
        StartAccepting(acceptor);
    }

    /// <summary>Stops accepting from a listening socket, which its owner then closes. On the loop.</summary>
    public void Remove(Acceptor acceptor)
    {
        if (_acceptors.Remove(acceptor))
        {
            StopAccepting(acceptor);
        }
    }

    /// <summary>Begins, or begins again after <see cref="StopAccepting"/>, to call <see cref="Acceptor"/>'s methods.</summary>
    public abstract void StartAccepting(Acceptor acceptor);

    /// <summary>Accepts no more from this socket for the time being.</summary>
    public abstract void StopAccepting(Acceptor acceptor);

    public void CountConnection(int change) => Volatile.Write(ref _connectionCount, _connectionCount + change);

    /// <summary>Makes the calling thread the loop's own. For a loop that was not started: a test drives it by <see cref="RunTurn"/>.</summary>
    public void Enter()
    {
        Volatile.Write(ref _threadId, Environment.CurrentManagedThreadId);
        Begin();
    }

    /// <summary>Runs one turn.</summary>
    /// <param name="mayBlock">Whether to wait when there is nothing to do.</param>
    public void RunTurn(bool mayBlock)
    {
        bool blocks = mayBlock && !HasWork && PrepareToBlock();
        Poll(blocks);
        Volatile.Write(ref _state, Running);
        BeginTurn();
        HandleEvents();
        RunPosted();
        RunDeadlines();
        _hasUnflushed = EndTurn();
        EndEvents();
    }

    /// <summary>Gets from the kernel what the loop needs, on the loop's own thread.</summary>
    /// <exception cref="EngineException">The kernel refuses.</exception>
    protected virtual void Begin()
    {
    }

    /// <summary>Waits until there is something to do. The events are kept for <see cref="HandleEvents"/>.</summary>
    /// <param name="timeoutMilliseconds">The longest wait: 0 to look only, -1 for as long as it takes.</param>
    /// <returns>Whether there are events.</returns>
    protected abstract bool Wait(int timeoutMilliseconds);

    /// <summary>Handles what <see cref="Wait"/> found, and what earlier turns left over.</summary>
    protected abstract void HandleEvents();

    /// <summary>Gets whether the backend has something to do without a new event.</summary>
    protected abstract bool HasBacklog { get; }

    /// <summary>Ends a turn: submits and closes what had to wait until now.</summary>
    protected abstract void EndEvents();

    /// <summary>Aborts every connection and every attempt at one that is left.</summary>
    protected abstract void AbortAll();

    /// <summary>Releases what the backend has from the kernel. The last call.</summary>
    protected abstract void Release();

    /// <inheritdoc />
    public override bool KeepsTime { get; }

    // A little less long after a long turn: a deadline may be late by a tick anyway.
    private int UntilDeadline => KeepsTime ? Timers.MillisecondsToNextTick(TurnTimestamp) : -1;

    private bool HasWork => _hasUnflushed || HasBacklog || !_inbox.IsEmpty;

    private void RunToEnd(TaskCompletionSource begun)
    {
        try
        {
            Enter();
            begun.SetResult();
        }
        catch (EngineException e)
        {
            System.Close(_wakeEvent);
            begun.SetException(e);
            return;
        }

        while (!_isStopping)
        {
            RunTurn(mayBlock: true);
        }

        End();
    }

    // Also for a loop that a test drives.
    public void End()
    {
        _isStopping = true;

        // Work posted before may bring new connections and acceptors, and what was aborted is closed at the end of a turn: at least one.
        do
        {
            foreach (var acceptor in _acceptors.ToArray())
            {
                acceptor.Close();
            }

            AbortAll();
            RunTurn(mayBlock: false);
        }
        while (HasWork || ConnectionCount > 0 || _acceptors.Count > 0);

        // The clock would post to nobody for ever.
        Timers.Stop();
        Release();
        AwaitWakers();
        System.Close(_wakeEvent);
        Volatile.Write(ref _threadId, 0);
    }

    // Returns false when work was posted meanwhile. The flag is set before the inbox is looked at, and a poster enqueues before it looks
    // at the flag: with a full fence on both sides one of the two sees the other.
    private bool PrepareToBlock()
    {
        Interlocked.Exchange(ref _state, Blocked);
        if (_inbox.IsEmpty && !_isStopping)
        {
            return true;
        }

        Volatile.Write(ref _state, Running);
        return false;
    }

    private void Poll(bool mayBlock)
    {
        if (!mayBlock || !BusyPoll.IsEnabled)
        {
            Wait(mayBlock ? UntilDeadline : 0);
            return;
        }

        if (!BusyPoll.IsWorthwhile)
        {
            BusyPoll.Begin();
            Wait(UntilDeadline);
            BusyPoll.Blocked();
            return;
        }

        // Whoever posts meanwhile writes to the event, and that ends the spin as a socket does.
        BusyPoll.Begin();
        do
        {
            if (Wait(timeoutMilliseconds: 0))
            {
                BusyPoll.Hit();
                return;
            }
        }
        while (BusyPoll.GoesOn);

        Wait(UntilDeadline);
    }

    private void Wake()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _state) == Blocked)
        {
            // Counted, so that the loop does not end, and the event's number become another's, just before the signal.
            Interlocked.Increment(ref _wakers);
            if (Interlocked.CompareExchange(ref _state, Running, Blocked) == Blocked)
            {
                System.EventSignal(_wakeEvent);
            }

            Interlocked.Decrement(ref _wakers);
        }
    }

    // The loop is running for good: nobody begins to wake it any more.
    private void AwaitWakers()
    {
        Interlocked.MemoryBarrier();
        var spin = new SpinWait();
        while (Volatile.Read(ref _wakers) > 0)
        {
            spin.SpinOnce();
        }
    }

    private void RunDeadlines()
    {
        if (KeepsTime)
        {
            Timers.RunDue(TurnTimestamp);
        }
    }

    private void RunPosted()
    {
        for (int i = 0; i < MaxWorkPerTurn && _inbox.TryDequeue(out var work); i++)
        {
            work.Target.Run(work.State, work.Argument);
        }
    }
}
