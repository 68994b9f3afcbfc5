using System.Net;

namespace Shockwave.Engine;

/// <summary>What a transport tells its connection, always on the owner.</summary>
internal interface ITransportHandler
{
    /// <summary>Bytes arrived. They may be changed in place and are valid during the call.</summary>
    /// <returns>How many are done with: fewer than all only after <see cref="Transport.Pause"/>; the rest comes again after the resume.</returns>
    int OnReceived(Span<byte> bytes);

    /// <summary>Nothing more will arrive: the peer ended its side (<see langword="null"/>), or receiving failed.</summary>
    void OnReceiveEnded(Exception? error);

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
    private const int SegmentBytes = 16 * 1024;

    // A large message is sent in pieces, so that a slow peer is seen to make progress.
    private const int MaxSendBytes = 64 * 1024;

    private readonly Queue<Segment> _queue = new(0);
    private byte[]? _tail;
    private int _tailLength;
    private int _headSent;
    private int _sendingBytes;
    private long _unsentBytes;
    private bool _isFlushDue;
    private bool _isAborted;
    private bool _isOver;
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

    /// <summary>Gets the peer's address as the socket knows it; <see langword="null"/> where there is no socket. Any thread.</summary>
    public virtual EndPoint? RemoteEndPoint => null;

    /// <summary>
    /// Gets how long to wait between writing the last byte and ending our sending side. Zero where the transport knows when the socket has it.
    /// </summary>
    public virtual TimeSpan ShutdownDelay => TimeSpan.Zero;

    /// <summary>Gets whether the transport is closed or closing: nothing is sent or received any more.</summary>
    public bool IsClosed { get; private set; }

    protected ITransportHandler Handler { get; private set; } = null!;

    /// <summary>Says who is called. Before anything else; any thread.</summary>
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
    public Span<byte> GetSpan(int size)
    {
        if (_tail is null || _tail.Length - _tailLength < size)
        {
            SealTail();
            _tail = Owner.Buffers.Rent(Math.Max(size, SegmentBytes));
        }

        return _tail.AsSpan(_tailLength);
    }

    /// <summary>Says how many bytes of <see cref="GetSpan"/> were written. They leave when the turn ends.</summary>
    public void Commit(int count)
    {
        _tailLength += count;
        Written(count);
    }

    /// <summary>Queues a pooled buffer without copying it. The transport returns it.</summary>
    public void Write(byte[] buffer, int start, int count)
    {
        SealTail();
        _queue.Enqueue(new Segment(buffer, start, count));
        Written(count);
    }

    /// <summary>Sends what was written. Called by the owner at the end of a turn.</summary>
    public void Flush()
    {
        _isFlushDue = false;
        try
        {
            SendNext(hadBytes: UnsentBytes != 0);
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
        if (!_isAborted && !_isOver)
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

    /// <summary>Sends one buffer. Returns true when it was taken at once; otherwise <see cref="SendCompleted"/> follows.</summary>
    protected abstract bool TrySend(ReadOnlyMemory<byte> bytes);

    protected abstract void ShutdownSend();

    /// <summary>
    /// Releases the socket or stream; <see cref="Closed"/> follows, at once or later. Must not throw. Called again, with
    /// <paramref name="isAbort"/>, where a proper close takes too long.
    /// </summary>
    protected abstract void CloseStream(bool isAbort);

    /// <summary>Gets whether a send is under way: its buffer must not be returned.</summary>
    protected bool IsSending { get; private set; }

    protected void SendCompleted(Exception? error)
    {
        IsSending = false;
        if (IsClosed)
        {
            ReleaseOutput();
            return;
        }

        if (error is not null)
        {
            Handler.OnFailed(error);
            return;
        }

        CountSent();
        SendNext(hadBytes: true);
    }

    protected void Close(bool isAbort)
    {
        if (IsClosed && (_isAborted || !isAbort || _isOver))
        {
            return;
        }

        IsClosed = true;
        if (isAbort)
        {
            // A proper close keeps its deadline: the stream may not let go.
            _isAborted = true;
            Owner.Timers.Cancel(this);
        }

        if (!IsSending)
        {
            ReleaseOutput();
        }

        CloseStream(isAbort);
    }

    protected void Closed()
    {
        _isOver = true;
        Owner.Timers.Cancel(this);
        Handler.OnClosed();
    }

    private void SendNext(bool hadBytes)
    {
        if (IsSending || IsClosed)
        {
            return;
        }

        if (_queue.Count == 0)
        {
            SealTail();
        }

        while (_queue.TryPeek(out var segment))
        {
            IsSending = true;
            _sendingBytes = Math.Min(segment.Count - _headSent, MaxSendBytes);
            if (!TrySend(segment.Buffer.AsMemory(segment.Start + _headSent, _sendingBytes)))
            {
                return;
            }

            IsSending = false;
            CountSent();
            if (_queue.Count == 0)
            {
                SealTail();
            }
        }

        if (hadBytes)
        {
            Handler.OnDrained();
        }

        FinishIfSent();
    }

    private void CountSent()
    {
        _headSent += _sendingBytes;
        var head = _queue.Peek();
        if (_headSent == head.Count)
        {
            _queue.Dequeue();
            _headSent = 0;
            Owner.Buffers.Return(head.Buffer);
        }

        Volatile.Write(ref _unsentBytes, _unsentBytes - _sendingBytes);
        LastSendProgress = Owner.TurnTimestamp;
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
            Owner.FlushAfterTurn(this);
        }
    }

    private void SealTail()
    {
        if (_tail is null)
        {
            return;
        }

        if (_tailLength == 0)
        {
            Owner.Buffers.Return(_tail);
        }
        else
        {
            _queue.Enqueue(new Segment(_tail, 0, _tailLength));
        }

        _tail = null;
        _tailLength = 0;
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

    private void ReleaseOutput()
    {
        SealTail();
        while (_queue.TryDequeue(out var segment))
        {
            Owner.Buffers.Return(segment.Buffer);
        }

        Volatile.Write(ref _unsentBytes, 0);
    }

    private readonly record struct Segment(byte[] Buffer, int Start, int Count);
}
