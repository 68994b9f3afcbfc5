using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>A socket on an epoll loop, registered once and edge-triggered: readiness is reported when it begins, and remembered here.</summary>
internal sealed unsafe class EpollTransport(EpollLoop loop, int socket) : SocketTransport(loop, socket)
{
    private const uint HangUp = EpollEvent.RDHUP | EpollEvent.HUP | EpollEvent.ERR;

    // The most pieces that one call sends.
    private const int MaxVectors = 16;

    private bool _isStarted;
    private bool _isReadable;
    private bool _isSendBlocked;
    private bool _isHungUp;
    private bool _isHangUpReported;
    private bool _isReceiveQueued;
    private bool _isReleased;

    private EpollLoop Loop => (EpollLoop)Owner;

    /// <inheritdoc />
    protected override int DirectSocket => Socket;

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
            Loop.ReceiveLater(this);
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
    public override bool TryBorrow(ReadOnlySpan<byte> received, int before, out Span<byte> space)
    {
        byte* start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(received));
        space = default;
        if (!IsDelivering || !Loop.IsInReceiveBuffer(start))
        {
            return false;
        }

        space = new Span<byte>(start - before, before + received.Length);
        return true;
    }

    /// <inheritdoc />
    protected override void ShutdownSend() => Loop.System.ShutdownSend(Socket);

    /// <inheritdoc />
    protected override void DetachSocket(IOwnerWork then)
    {
        _isReleased = true;
        Loop.Release(this);
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
            Loop.System.SetResetOnClose(Socket);
        }
        else
        {
            DiscardUnread();
        }

        // Closed at the end of the turn: until then no other connection gets this number, whatever is still to be handled.
        _isReleased = true;
        Loop.Forget(this);
        Loop.CloseAfterTurn(Socket);
        ReportClosed();
    }

    /// <inheritdoc />
    protected override void FinishClose() => ReportClosed();

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
        var window = Handler.GetReceiveWindow();
        int received = window.IsEmpty
            ? Loop.System.Receive(Socket, Loop.ReceiveBuffer, EpollLoop.ReceiveBytes)
            : ReceiveInto(window);
        if (received > 0)
        {
            // A short receive took everything; what comes later is a new edge. The end comes without one when it was reported already.
            _isReadable = received == EpollLoop.ReceiveBytes + window.Length || _isHungUp;
            int inWindow = Math.Min(received, window.Length);
            Deliver(inWindow, new Span<byte>(Loop.ReceiveBuffer, received - inWindow));
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

    // The window first; what follows it lands where everything else does.
    private int ReceiveInto(Span<byte> window)
    {
        fixed (byte* pointer = window)
        {
            var vectors = stackalloc IoVector[2];
            vectors[0] = new IoVector { Base = pointer, Length = (nuint)window.Length };
            vectors[1] = new IoVector { Base = Loop.ReceiveBuffer, Length = EpollLoop.ReceiveBytes };
            return Loop.System.Receive(Socket, vectors, 2);
        }
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
        var piece = output[0];
        fixed (byte* pointer = &piece.First)
        {
            return Loop.System.Send(Socket, pointer, (nuint)piece.Count);
        }
    }

    private int SendMany(OutputQueue output)
    {
        int count = Math.Min(output.Count, MaxVectors);
        var vectors = stackalloc IoVector[MaxVectors];
        return SendMany(output, vectors, 0, count);
    }

    // One level for each piece: so deep are the arrays pinned while the kernel reads them.
    private int SendMany(OutputQueue output, IoVector* vectors, int index, int count)
    {
        if (index == count)
        {
            return Loop.System.Send(Socket, vectors, count);
        }

        var piece = output[index];
        fixed (byte* pointer = &piece.First)
        {
            vectors[index] = new IoVector { Base = pointer, Length = (nuint)piece.Count };
            return SendMany(output, vectors, index + 1, count);
        }
    }
}
