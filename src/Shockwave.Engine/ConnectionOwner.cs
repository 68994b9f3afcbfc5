using System.Buffers;

namespace Shockwave.Engine;

/// <summary>Work for an owner: what runs, with what.</summary>
internal readonly record struct OwnerWork(IOwnerWork Target, object? State, long Argument);

/// <summary>Something that an owner can run on its own thread.</summary>
internal interface IOwnerWork
{
    /// <summary>Runs on the owner. Must not throw: a failure belongs to one connection, and that one deals with it.</summary>
    void Run(object? state, long argument);
}

/// <summary>
/// The one thread of control that a set of connections belongs to. Their state is touched only here and takes no lock;
/// every other thread enters by <see cref="Post"/>.
/// </summary>
/// <remarks>
/// A portable <see cref="Strand"/> is one kind of owner, an engine's event loop another. Work runs in turns: what connections write
/// during a turn leaves when it ends, in one send for each connection (<see cref="FlushAfterTurn"/>).
/// Only <see cref="Post"/>, <see cref="Run"/> and <see cref="IsCurrent"/> may be used from other threads.
/// </remarks>
internal abstract class ConnectionOwner
{
    // More than these are not kept: many connections that drain at once must not leave their queues behind for ever. As many as the
    // kernel reports in one turn may need one.
    private const int MaxSpareOutputs = 1024;

    private readonly List<Transport> _unflushed = [];
    private readonly Stack<OutputQueue> _spareOutputs = new();

    protected ConnectionOwner(TimeProvider time, ArrayPool<byte>? buffers = null)
    {
        Time = time;
        Buffers = buffers ?? BufferPool.Shared.ForOwner();
        Timers = new TimerWheel(time, this);
        TurnTimestamp = time.GetTimestamp();
    }

    /// <summary>Gets the clock of everything that this owner owns.</summary>
    public TimeProvider Time { get; }

    /// <summary>Gets when this turn began, as a timestamp of <see cref="Time"/>: exact enough for everything but a round-trip time.</summary>
    public long TurnTimestamp { get; private set; }

    /// <summary>Gets whether the owner looks for deadlines in each turn, and begins one when the next is due: then nobody else need wake it.</summary>
    public virtual bool KeepsTime => false;

    /// <summary>Gets the deadlines of this owner's connections.</summary>
    public TimerWheel Timers { get; }

    /// <summary>Gets the pool that lends this owner's buffers.</summary>
    public ArrayPool<byte> Buffers { get; }

    /// <summary>Gets where small writes collect; <see langword="null"/> where each transport sends before the next one writes.</summary>
    protected virtual SendArena? Arena => null;

    /// <summary>Gets which of this owner's sockets may be sent to past their transports.</summary>
    public DirectSlots DirectSlots { get; } = new();

    /// <summary>Gets whether the calling thread is this owner's right now.</summary>
    public abstract bool IsCurrent { get; }

    /// <summary>Queues work. It runs on the owner after everything posted before; never inside this call.</summary>
    public abstract void Post(IOwnerWork target, object? state = null, long argument = 0);

    /// <summary>As <see cref="Post"/>, but lets the calling thread become the owner when nobody is: saves a hop. Not from user code.</summary>
    public abstract void Run(IOwnerWork target, object? state = null, long argument = 0);

    /// <summary>
    /// Sends bytes that many connections get, one after the other, at once: no buffer, no second look at the connection when the turn ends,
    /// and none at all where the socket takes everything.
    /// </summary>
    /// <param name="slot">The connection's place among the <see cref="DirectSlots"/>.</param>
    /// <param name="bytes">The bytes.</param>
    /// <returns>How many were taken: 0 also where something comes first. The transport gets the rest.</returns>
    public virtual int SendDirectly(int slot, ReadOnlySpan<byte> bytes) => 0;

    /// <summary>Lends an empty output queue.</summary>
    public OutputQueue RentOutput() => _spareOutputs.TryPop(out var output) ? output : new OutputQueue(Buffers, Arena);

    /// <summary>Takes an output queue back, empty.</summary>
    public void ReturnOutput(OutputQueue output)
    {
        if (_spareOutputs.Count < MaxSpareOutputs)
        {
            _spareOutputs.Push(output);
        }
    }

    /// <summary>Notes that a transport has bytes to send at the end of this turn. Once per turn and transport.</summary>
    public void FlushAfterTurn(Transport transport) => _unflushed.Add(transport);

    /// <summary>Begins a turn: looks at the clock once for everybody.</summary>
    protected void BeginTurn() => TurnTimestamp = Time.GetTimestamp();

    /// <summary>Sends what was written in this turn.</summary>
    /// <returns>Whether that made connections write again: another turn is due, also without new work.</returns>
    protected bool EndTurn()
    {
        // What is written meanwhile waits for the next turn: a handler that writes on every drain must not keep the others from theirs.
        int count = _unflushed.Count;
        for (int i = 0; i < count; i++)
        {
            _unflushed[i].Flush();
        }

        _unflushed.RemoveRange(0, count);
        return _unflushed.Count > 0;
    }
}
