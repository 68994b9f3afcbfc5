using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>What a transport tells its connection, always on the owner.</summary>
internal interface ITransportHandler
{
    /// <summary>Bytes arrived. They may be changed in place and are valid during the call.</summary>
    /// <returns>How many are done with: fewer than all only after <see cref="Transport.Pause"/>; the rest comes again after the resume.</returns>
    int OnReceived(Span<byte> bytes);

    /// <summary>
    /// Gets where the next bytes may be received to directly; empty for no such place. Not asked for by every transport. The bytes that
    /// landed there are told by <see cref="OnReceivedInWindow"/>, those behind them by <see cref="OnReceived"/>.
    /// </summary>
    Span<byte> GetReceiveWindow() => default;

    /// <summary>Bytes arrived in the window, from its start.</summary>
    void OnReceivedInWindow(int count)
    {
    }

    /// <summary>Nothing more will arrive: the peer ended its side (<see langword="null"/>), or receiving failed.</summary>
    void OnReceiveEnded(Exception? error);

    /// <summary>The peer has hung up while receiving is paused; what it sent before can still be received. At most once, not on every transport.</summary>
    void OnHangUp()
    {
    }

    /// <summary>Everything written so far was taken by the socket.</summary>
    void OnDrained();

    /// <summary>Sending failed, or another callback threw: the connection can only be aborted.</summary>
    void OnFailed(Exception error);

    /// <summary>The deadline set last has passed.</summary>
    void OnDeadline();

    /// <summary>The transport is closed and its resources are gone: the last call.</summary>
    void OnClosed();
}

/// <summary>
/// Moves the bytes of one connection. Belongs to one <see cref="ConnectionOwner"/>; every member is for that owner only, but
/// <see cref="UnsentBytes"/>, which any thread may read.
/// </summary>
/// <remarks>
/// Order: <see cref="Attach"/> and <see cref="Start"/> once, then anything, then <see cref="CloseAfterSending"/> or <see cref="Abort"/>;
/// <see cref="ITransportHandler.OnClosed"/> is the last callback. What is written collects in pooled buffers that the transport owns
/// and returns after they were sent. An idle transport holds no buffer.
/// </remarks>
internal abstract class Transport(ConnectionOwner owner) : TimerEntry
{
    private OutputQueue? _output;
    private long _unsentBytes;

    // What the slot leads to while there is nothing to send.
    private int _directSocket = DirectSlots.NoSocket;
    private bool _isFlushDue;
    private bool _hasNoDeadline;
    private AfterSending _afterSending;

    private enum AfterSending : byte
    {
        Nothing,
        ShutdownSend,
        Close,
    }

    /// <summary>Gets the owner.</summary>
    public ConnectionOwner Owner { get; } = owner;

    /// <summary>Gets how many bytes were written and not yet taken by the socket. Any thread.</summary>
    public long UnsentBytes => Volatile.Read(ref _unsentBytes);

    /// <summary>Gets whether receiving is paused.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>Gets when the socket took bytes last, or when the queue began to fill: the start of a stall.</summary>
    public long LastSendProgress { get; private set; }

    /// <summary>
    /// Gets how long to wait between writing the last byte and ending our sending side. Zero where the transport knows when the socket has it.
    /// </summary>
    public virtual TimeSpan ShutdownDelay => TimeSpan.Zero;

    /// <summary>Gets whether the transport is closed or closing: nothing is sent or received any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Gets the place among the owner's <see cref="DirectSlots"/>.</summary>
    public int DirectSlot { get; private set; }

    /// <summary>Gets the socket that bytes can be sent to past this transport.</summary>
    protected virtual int DirectSocket => DirectSlots.NoSocket;

    protected ITransportHandler Handler { get; private set; } = null!;

    /// <summary>Gets what is to be sent; <see langword="null"/> when there is nothing.</summary>
    protected OutputQueue? Output => _output;

    /// <summary>Gets or sets whether the kernel, or a stream, still uses the queue's buffers: they must not be returned.</summary>
    protected bool IsSending { get; set; }

    /// <summary>Says who is called from now on. Before anything else, and again to hand the connection over; any thread before the start.</summary>
    public void Attach(ITransportHandler handler) => Handler = handler;

    /// <summary>Begins to receive.</summary>
    public void Start()
    {
        if (!IsClosed)
        {
            StartReceiving();
        }
    }

    /// <summary>Lends room to write to; follow with <see cref="Commit"/>.</summary>
    /// <param name="size">At least this many bytes are lent.</param>
    public Span<byte> GetSpan(int size) => (_output ?? RentOutput()).GetSpan(size);

    /// <summary>Says how many bytes of <see cref="GetSpan"/> were written. They leave when the turn ends.</summary>
    public void Commit(int count)
    {
        _output!.Commit(count);
        Written(count);
    }

    /// <summary>Queues a pooled buffer without copying it. The transport returns it.</summary>
    public void Write(byte[] buffer, int start, int count)
    {
        (_output ?? RentOutput()).Add(buffer, start, count);
        Written(count);
    }

    /// <summary>
    /// From now on bytes may be sent past this transport, by <see cref="ConnectionOwner.SendDirectly"/>, while nothing of its own waits.
    /// </summary>
    public void BeginDirect()
    {
        if (DirectSocket != DirectSlots.NoSocket)
        {
            DirectSlot = Owner.DirectSlots.Occupy();
            _directSocket = IsClosed ? DirectSlots.NoSocket : DirectSocket;
            Owner.DirectSlots[DirectSlot] = _output is null ? _directSocket : DirectSlots.NoSocket;
        }
    }

    /// <summary>From now on nothing goes past this transport.</summary>
    public void EndDirect() => Owner.DirectSlots[DirectSlot] = _directSocket = DirectSlots.NoSocket;

    /// <summary>Gives <see cref="DirectSlot"/> back: no list has it any more.</summary>
    public void ReleaseDirectSlot()
    {
        if (DirectSlot != DirectSlots.NoSlot)
        {
            EndDirect();
            Owner.DirectSlots.Vacate(DirectSlot);
            DirectSlot = DirectSlots.NoSlot;
        }
    }

    /// <summary>
    /// Writes bytes that many transports get: into a buffer that is no larger, since all of them may wait at the same time.
    /// </summary>
    public virtual void WriteShared(ReadOnlySpan<byte> bytes)
    {
        if (_output is null)
        {
            byte[] buffer = Owner.Buffers.Rent(bytes.Length);
            bytes.CopyTo(buffer);
            Write(buffer, 0, bytes.Length);
        }
        else
        {
            bytes.CopyTo(GetSpan(bytes.Length));
            Commit(bytes.Length);
        }
    }

    /// <summary>
    /// Finds out whether received bytes may be sent on from where they lie, with something in front of them. Only while they are delivered.
    /// </summary>
    /// <param name="received">The bytes.</param>
    /// <param name="before">How many bytes in front are wanted; 16 at most. They must be ones that nobody reads any more.</param>
    /// <param name="space">Both together: fill in the front, then call <see cref="WriteBorrowed"/>.</param>
    public virtual bool TryBorrow(ReadOnlySpan<byte> received, int before, out Span<byte> space)
    {
        space = default;
        return false;
    }

    /// <summary>Queues what <see cref="TryBorrow"/> gave without copying it.</summary>
    public unsafe void WriteBorrowed(Span<byte> space)
    {
        (_output ?? RentOutput()).Borrow((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(space)), space.Length);
        Written(space.Length);
    }

    /// <summary>Sends what was written. Called by the owner at the end of a turn.</summary>
    public void Flush()
    {
        _isFlushDue = false;
        try
        {
            if (UnsentBytes > 0 && !IsClosed)
            {
                Send();
            }
            else if (!IsSending)
            {
                // Written to after the close, or lent and not used.
                ReleaseOutput();
            }
        }
        catch (Exception e)
        {
            Handler.OnFailed(e);
        }
    }

    /// <summary>Stops receiving; what is not consumed yet is kept.</summary>
    public void Pause() => IsPaused = true;

    /// <summary>Goes on receiving, first with what was kept.</summary>
    public void Resume()
    {
        if (IsPaused)
        {
            IsPaused = false;
            ResumeReceiving();
        }
    }

    /// <summary>Ends our sending side once everything written was sent (FIN); receiving goes on.</summary>
    public void ShutdownAfterSending()
    {
        if (_afterSending == AfterSending.Nothing)
        {
            _afterSending = AfterSending.ShutdownSend;
            FinishIfSent();
        }
    }

    /// <summary>Closes once everything written was sent.</summary>
    public void CloseAfterSending()
    {
        _afterSending = AfterSending.Close;
        FinishIfSent();
    }

    /// <summary>Closes at once; what was not sent is lost. Hurries a close that is under way. Harmless when repeated.</summary>
    public void Abort() => Close(isAbort: true);

    /// <summary>Sets the deadline of the connection; the one before is replaced.</summary>
    public void SetDeadline(long dueTimestamp)
    {
        if (!_hasNoDeadline)
        {
            Owner.Timers.Schedule(this, dueTimestamp);
        }
    }

    /// <inheritdoc />
    protected internal override void OnDeadline()
    {
        try
        {
            Handler.OnDeadline();
        }
        catch (Exception e)
        {
            Handler.OnFailed(e);
        }
    }

    protected abstract void StartReceiving();

    protected abstract void ResumeReceiving();

    /// <summary>
    /// Sends what is in <see cref="Output"/>, as much as goes; says what was taken with <see cref="Sent"/>. Does nothing while a send is
    /// under way.
    /// </summary>
    protected abstract void Send();

    protected abstract void ShutdownSend();

    /// <summary>
    /// Releases the socket or stream; <see cref="Closed"/> follows, at once or later. Must not throw. Called again, with
    /// <paramref name="isAbort"/>, where a proper close takes too long.
    /// </summary>
    protected abstract void CloseStream(bool isAbort);

    /// <summary>Notes that the socket took bytes from the front of the queue.</summary>
    /// <returns>
    /// Whether these were the last. What the handler has written since, because of that, waits for the next turn: it could go on for ever.
    /// </returns>
    protected bool Sent(int count)
    {
        _output!.Advance(count);
        Volatile.Write(ref _unsentBytes, _unsentBytes - count);
        LastSendProgress = Owner.TurnTimestamp;
        if (_unsentBytes > 0)
        {
            return false;
        }

        ReleaseOutput();
        try
        {
            Handler.OnDrained();
        }
        catch (Exception e)
        {
            Handler.OnFailed(e);
        }

        FinishIfSent();
        return true;
    }

    /// <summary>Gives the queue's buffers back. Not while <see cref="IsSending"/>.</summary>
    protected void ReleaseOutput()
    {
        if (_output is not null)
        {
            _output.Clear();
            Owner.ReturnOutput(_output);
            _output = null;
            Owner.DirectSlots[DirectSlot] = _directSocket;
            Volatile.Write(ref _unsentBytes, 0);
        }
    }

    protected void Close(bool isAbort)
    {
        if (IsClosed && (_hasNoDeadline || !isAbort))
        {
            return;
        }

        IsClosed = true;
        EndDirect();
        if (isAbort)
        {
            // A proper close keeps its deadline: the stream may not let go.
            _hasNoDeadline = true;
            Owner.Timers.Cancel(this);
        }

        if (!IsSending)
        {
            ReleaseOutput();
        }

        CloseStream(isAbort);
    }

    /// <summary>Notes that the socket belongs to somebody else: whatever is called from now on does nothing.</summary>
    protected void LetGo()
    {
        IsClosed = _hasNoDeadline = true;
        EndDirect();
        ReleaseOutput();
        Owner.Timers.Cancel(this);
    }

    protected void Closed()
    {
        _hasNoDeadline = true;
        Owner.Timers.Cancel(this);

        // Nobody has it yet when the loop ends just after it was accepted.
        Handler?.OnClosed();
    }

    /// <summary>
    /// Gets or sets whether the transport itself calls <see cref="FlushIfDue"/> shortly, so that the owner need not at the end of the turn.
    /// </summary>
    protected bool FlushesItself { get; set; }

    /// <summary>Sends what was written during a callback right behind it: the buffer is still in the processor's cache.</summary>
    protected void FlushIfDue()
    {
        if (_isFlushDue)
        {
            Flush();
        }
    }

    private OutputQueue RentOutput()
    {
        Owner.DirectSlots[DirectSlot] = DirectSlots.NoSocket;
        return _output = Owner.RentOutput();
    }

    private void Written(int count)
    {
        if (_unsentBytes == 0)
        {
            LastSendProgress = Owner.TurnTimestamp;
        }

        Volatile.Write(ref _unsentBytes, _unsentBytes + count);
        if (!_isFlushDue)
        {
            _isFlushDue = true;
            if (!FlushesItself)
            {
                Owner.FlushAfterTurn(this);
            }
        }
    }

    private void FinishIfSent()
    {
        if (UnsentBytes != 0 || IsSending || IsClosed)
        {
            return;
        }

        if (_afterSending == AfterSending.Close)
        {
            Close(isAbort: false);
        }
        else if (_afterSending == AfterSending.ShutdownSend)
        {
            _afterSending = AfterSending.Nothing;
            ShutdownSend();
        }
    }
}
