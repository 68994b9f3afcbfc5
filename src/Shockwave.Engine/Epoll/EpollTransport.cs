namespace Shockwave.Engine;

/// <summary>A socket on an epoll loop, registered once and edge-triggered: readiness is reported when it begins, and remembered here.</summary>
internal sealed unsafe class EpollTransport(EpollLoop loop, int socket) : SocketTransport(loop, socket)
{
    private const uint HangUp = EpollEvent.RDHUP | EpollEvent.HUP | EpollEvent.ERR;

    // The most pieces that one call sends.
    private const int MaxVectors = 16;

    // What is still read of a connection that is closed properly: closing over unread bytes would reset it, and the peer would not see
    // what was sent last.
    private const int MaxDiscardedReceives = 4;

    private bool _isStarted;
    private bool _isReadable;
    private bool _isSendBlocked;
    private bool _isHungUp;
    private bool _isHangUpReported;
    private bool _isReceiveQueued;
    private bool _isReleased;

    /// <summary>Handles what epoll reports. A report is a hint: only the call that follows says what is so.</summary>
    public void OnEvents(uint events)
    {
        if (_isSendBlocked && (events & (EpollEvent.OUT | EpollEvent.ERR | EpollEvent.HUP)) != 0)
        {
            _isSendBlocked = false;
            Flush();
        }

        if ((events & ~EpollEvent.OUT) != 0)
        {
            _isReadable = true;
            _isHungUp |= (events & HangUp) != 0;
            Receive();
        }
    }

    /// <summary>Goes on receiving in a later turn. Called by the loop.</summary>
    public void ReceiveQueued()
    {
        _isReceiveQueued = false;
        Receive();
    }

    /// <inheritdoc />
    protected override void StartReceiving()
    {
        _isStarted = true;
        ResumeReceiving();
    }

    // Always attempted: an edge that came meanwhile does not come again.
    /// <inheritdoc />
    protected override void ResumeReceiving()
    {
        if (!_isReceiveQueued && _isStarted)
        {
            _isReceiveQueued = true;
            loop.ReceiveLater(this);
        }
    }

    /// <inheritdoc />
    protected override void Send()
    {
        while (!_isSendBlocked && !IsClosed && Output is { IsEmpty: false } output)
        {
            int sent = output.Count == 1 ? SendOne(output) : SendMany(output);
            if (sent >= 0)
            {
                if (Sent(sent))
                {
                    return;
                }
            }
            else if (sent == -Errno.EAGAIN)
            {
                _isSendBlocked = true;
            }
            else if (sent != -Errno.EINTR)
            {
                Handler.OnFailed(ToException(-sent, "send"));
                return;
            }
        }
    }

    /// <inheritdoc />
    protected override void ShutdownSend() => loop.System.ShutdownSend(Socket);

    /// <inheritdoc />
    protected override void DetachSocket(IOwnerWork then)
    {
        Release();
        Detached(then);
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
            loop.System.SetResetOnClose(Socket);
        }
        else
        {
            Discard();
        }

        // Closed at the end of the turn: until then no other connection gets this number, whatever is still to be handled.
        int socket = Socket;
        Release();
        loop.CloseAfterTurn(socket);
        ReportClosed();
    }

    /// <inheritdoc />
    protected override void FinishClose() => ReportClosed();

    private void Release()
    {
        _isReleased = true;
        loop.Forget(this);
    }

    private void Receive()
    {
        int budget = MaxReceiveBytes;
        while (_isStarted && !IsDelivering && !IsClosed && !_isReleased)
        {
            if (IsPaused)
            {
                NoticeHangUp();
                return;
            }

            if (HasRest)
            {
                DeliverRest();
            }
            else if (!_isReadable || IsReceiveEnded)
            {
                return;
            }
            else if (budget <= 0)
            {
                ResumeReceiving();
                return;
            }
            else
            {
                budget -= ReceiveOnce();
            }
        }
    }

    // Returns how many bytes were received.
    private int ReceiveOnce()
    {
        var buffer = loop.ReceiveBuffer;
        int received = loop.System.Receive(Socket, buffer, EpollLoop.ReceiveBytes);
        if (received > 0)
        {
            // A short receive took everything; what comes later is a new edge. The end comes without one when it was reported already.
            _isReadable = received == EpollLoop.ReceiveBytes || _isHungUp;
            Deliver(new Span<byte>(buffer, received));
            return received;
        }

        switch (-received)
        {
            case 0:
                EndReceiving(null);
                break;
            case Errno.EAGAIN:
                _isReadable = false;
                break;
            case Errno.EINTR:
                break;
            default:
                EndReceiving(ToException(-received, "recv"));
                break;
        }

        return 0;
    }

    private void NoticeHangUp()
    {
        if (_isHungUp && !_isHangUpReported && !IsReceiveEnded)
        {
            _isHangUpReported = true;
            ReportHangUp();
        }
    }

    private int SendOne(OutputQueue output)
    {
        var bytes = output[0].Span;
        fixed (byte* pointer = bytes)
        {
            return loop.System.Send(Socket, pointer, (nuint)bytes.Length);
        }
    }

    private int SendMany(OutputQueue output)
    {
        int count = Math.Min(output.Count, MaxVectors);
        var vectors = stackalloc IoVector[MaxVectors];
        var pins = new Pins();
        for (int i = 0; i < count; i++)
        {
            var bytes = output[i];
            pins[i] = bytes.Pin();
            vectors[i] = new IoVector { Base = pins[i].Pointer, Length = (nuint)bytes.Length };
        }

        int sent = loop.System.Send(Socket, vectors, count);
        for (int i = 0; i < count; i++)
        {
            pins[i].Dispose();
        }

        return sent;
    }

    private void Discard()
    {
        for (int i = 0; i < MaxDiscardedReceives; i++)
        {
            if (loop.System.Receive(Socket, loop.ReceiveBuffer, EpollLoop.ReceiveBytes) <= 0)
            {
                return;
            }
        }
    }

    [System.Runtime.CompilerServices.InlineArray(MaxVectors)]
    private struct Pins
    {
        private System.Buffers.MemoryHandle _first;
    }
}
