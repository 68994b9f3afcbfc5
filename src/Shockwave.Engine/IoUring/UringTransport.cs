using System.Diagnostics;

namespace Shockwave.Engine;

/// <summary>A socket on an io_uring loop: what it waits for is a request to the kernel, and ends with a completion.</summary>
/// <remarks>
/// One receive and one send are under way at most. What the kernel uses stays where it is until it says that it is done: the socket is
/// closed, and its buffers are returned, after the last completion.
/// </remarks>
internal sealed unsafe class UringTransport(UringLoop loop, int socket) : SocketTransport(loop, socket)
{
    private const int MaxSendBytes = 64 * 1024;

    // The kernel hands over all the buffers that one connection fills, before it looks at the next. One message of the largest size that
    // the others can bear is no flood yet, two are.
    private const int MaxMultishotBytes = 2 * MaxReceiveBytes;

    private IOwnerWork? _detachTo;
    private bool _isReceiving;
    private bool _isMultishot;
    private bool _isCancelling;
    private bool _isPolling;
    private bool _isHungUp;
    private bool _isHangUpReported;
    private bool _isEndReceived;
    private int _endError;
    private bool _discards;
    private bool _isStarted;
    private bool _isResumeQueued;
    private bool _isReleased;
    private bool _isOutOfBuffers;
    private int _turnBytes;
    private long _turn;

    /// <summary>Gets or sets the number that the kernel's answers are addressed to.</summary>
    public int Slot { get; set; }

    private UringLoop Loop => (UringLoop)Owner;

    private bool IsIdle => !_isReceiving && !_isPolling && !IsSending;

    public void OnReceived(in RingCompletion completion)
    {
        _isReceiving = completion.HasMore;
        if (completion.Result > 0)
        {
            LimitTurn(completion.Result);
            Take(Loop.ReceiveBuffers.Get(completion));
            Loop.ReceiveBuffers.Release(completion);
        }

        if (_isReceiving)
        {
            return;
        }

        _isCancelling = false;
        if (IsClosed || _detachTo is not null)
        {
            FinishIfIdle();
        }
        else if (completion.Result > 0 || completion.Result is -Errno.ECANCELED or -Errno.EINTR or -Errno.EAGAIN)
        {
            Receive();
        }
        else if (completion.Result == -Errno.ENOBUFS)
        {
            // The buffers come back while the completions of this turn are handled.
            _isOutOfBuffers = true;
            QueueResume();
        }
        else
        {
            _isEndReceived = true;
            _endError = -completion.Result;
            Receive();
        }
    }

    public void OnSent(int result)
    {
        IsSending = false;
        if (IsClosed)
        {
            ReleaseOutput();
            FinishIfIdle();
        }
        else if (result >= 0)
        {
            if (!Sent(result))
            {
                Send();
            }
        }
        else if (result is -Errno.EINTR or -Errno.EAGAIN)
        {
            Send();
        }
        else
        {
            Handler.OnFailed(ToException(-result, "send"));
        }
    }

    /// <summary>The peer hung up, or the poll for that was cancelled.</summary>
    public void OnPolled(int result)
    {
        _isPolling = false;
        if (IsClosed || _detachTo is not null)
        {
            FinishIfIdle();
        }
        else if (result > 0)
        {
            _isHungUp = true;
            NoticeHangUp();
        }
    }

    /// <summary>Goes on receiving in a later turn. Called by the loop.</summary>
    public void ResumeQueued()
    {
        _isResumeQueued = false;
        _isOutOfBuffers = false;
        Receive();
    }

    /// <summary>Copies what is small to where the small writes of all others are.</summary>
    public override void WriteShared(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > SendArena.MaxWriteBytes)
        {
            base.WriteShared(bytes);
            return;
        }

        bytes.CopyTo(GetSpan(bytes.Length));
        Commit(bytes.Length);
    }

    /// <inheritdoc />
    protected override void StartReceiving()
    {
        _isStarted = true;
        QueueResume();
    }

    /// <inheritdoc />
    protected override void ResumeReceiving() => QueueResume();

    /// <inheritdoc />
    protected override void Send()
    {
        if (IsSending || IsClosed || Output is not { IsEmpty: false } output)
        {
            return;
        }

        IsSending = true;
        if (output.Count == 1 || !Loop.TrySendMany(this, output, MaxSendBytes))
        {
            Loop.Send(this, output.Pin(0), Math.Min(output[0].Count, MaxSendBytes));
        }
    }

    /// <inheritdoc />
    protected override void ShutdownSend() => Loop.System.ShutdownSend(Socket);

    /// <inheritdoc />
    protected override void DetachSocket(IOwnerWork then)
    {
        _detachTo = then;
        Cancel();
        FinishIfIdle();
    }

    /// <inheritdoc />
    protected override void CloseStream(bool isAbort)
    {
        if (_isReleased)
        {
            return;
        }

        if (isAbort)
        {
            Loop.System.SetResetOnClose(Socket);
        }

        _discards = !isAbort;
        Cancel();
        FinishIfIdle();
    }

    /// <inheritdoc />
    protected override void FinishClose() => FinishIfIdle();

    private void Take(Span<byte> bytes)
    {
        if (IsClosed)
        {
            return;
        }

        if (IsPaused || HasRest)
        {
            // Completed before the cancel reached it.
            Keep(bytes);
            NoticePause();
        }
        else
        {
            Deliver(bytes);
        }
    }

    private void Receive()
    {
        while (_isStarted && HasRest && !IsPaused && !IsClosed && !IsDelivering)
        {
            DeliverRest();
        }

        if (!_isStarted || IsClosed || IsDelivering || IsReceiveEnded || _detachTo is not null)
        {
            return;
        }

        if (IsPaused)
        {
            WatchForHangUp();
        }
        else if (_isEndReceived)
        {
            EndReceiving(_endError == 0 ? null : ToException(_endError, "recv"));
        }
        else if (!_isReceiving && !_isOutOfBuffers)
        {
            _isReceiving = true;
            _isMultishot = NeverPauses;
            Loop.Receive(this, _isMultishot);
        }
    }

    /// <inheritdoc />
    protected override void OnPaused() => NoticePause();

    private void NoticePause()
    {
        if (!IsPaused)
        {
            return;
        }

        // It will pause again.
        EndMultishot();
        WatchForHangUp();
    }

    private void LimitTurn(int received)
    {
        if (_turn != Loop.TurnTimestamp)
        {
            _turn = Loop.TurnTimestamp;
            _turnBytes = 0;
        }

        _turnBytes += received;
        if (_turnBytes > MaxMultishotBytes)
        {
            EndMultishot();
        }
    }

    // From now on it asks for each receive, and gets no more than its share of a turn.
    private void EndMultishot()
    {
        if (_isReceiving && _isMultishot && !_isCancelling)
        {
            NeverPauses = false;
            _isCancelling = true;
            Loop.CancelReceive(this);
        }
    }

    private void WatchForHangUp()
    {
        // Received already: nothing more is to be waited for.
        _isHungUp |= _isEndReceived;
        if (!_isPolling && !_isHungUp && !IsClosed && _detachTo is null)
        {
            _isPolling = true;
            Loop.PollHangUp(this);
        }

        NoticeHangUp();
    }

    private void NoticeHangUp()
    {
        if (_isHungUp && !_isHangUpReported && IsPaused && !IsReceiveEnded && !IsClosed)
        {
            _isHangUpReported = true;
            ReportHangUp();
        }
    }

    private void Cancel()
    {
        if (!IsIdle)
        {
            Loop.CancelAll(this);
        }
    }

    private void QueueResume()
    {
        if (!_isResumeQueued && _isStarted)
        {
            _isResumeQueued = true;
            Loop.ResumeLater(this);
        }
    }

    private void FinishIfIdle()
    {
        if (!IsIdle || IsDelivering || _isReleased)
        {
            return;
        }

        _isReleased = true;
        Loop.Forget(this);
        if (_detachTo is { } then && !IsClosed)
        {
            Detached(then);
            return;
        }

        Debug.Assert(IsClosed, "Only a closed or detached socket is let go.");
        if (_discards)
        {
            DiscardUnread();
        }

        Loop.System.Close(Socket);
        ReportClosed();
    }
}
