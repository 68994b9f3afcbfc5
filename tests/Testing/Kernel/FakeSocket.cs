using Shockwave.Engine;

namespace Shockwave.Testing;

/// <summary>A TCP socket of the <see cref="FakeKernel"/>, listening or connected to a <see cref="FakePeer"/>.</summary>
internal sealed class FakeSocket(FakeKernel kernel) : FakeFile
{
    private const int EPIPE = 32;
    private const int ECONNRESET = 104;
    private const int EAGAIN = 11;
    private const int ECONNABORTED = 103;
    private const int EISCONN = 106;
    private const int EALREADY = 114;

    private ByteQueue _received;
    private ByteQueue _underWay;
    private ByteQueue _sent;
    private bool _isEndUnderWay;
    private bool _isEndReceived;
    private bool _isSendEnded;
    private bool _isDown;
    private bool _hasNoSpace;
    private bool _isConnectTold;
    private int _error;

    public FakeKernel Kernel => kernel;

    /// <summary>Gets or sets the address that it is bound to.</summary>
    public byte[]? Address { get; set; }

    public bool IsAddressReusable { get; set; }

    public bool IsPortShared { get; set; }

    /// <summary>Gets or sets whether a call that has nothing to do returns at once. A ring does not wait for such a socket either.</summary>
    public bool IsNonBlocking { get; set; }

    public bool ResetsOnClose { get; set; }

    /// <summary>Gets the connections that wait to be accepted; null when it does not listen.</summary>
    public Queue<FakeSocket>? Backlog { get; private set; }

    public int BacklogLimit { get; private set; }

    /// <summary>Gets the other end; null when it is not connected.</summary>
    public FakePeer? Peer { get; set; }

    /// <summary>Gets or sets whether the program connects it, and the peer has not answered yet.</summary>
    public bool IsConnecting { get; set; }

    /// <summary>Gets or sets how many bytes fit between the program's send and the peer.</summary>
    public int SendCapacity { get; set; } = 256 * 1024;

    /// <summary>Gets or sets how many bytes wait here for the program; the peer's others wait in the network.</summary>
    public int ReceiveCapacity { get; set; } = 256 * 1024;

    public bool IsDown => _isDown;

    public int UntakenBytes => _sent.Count;

    /// <summary>Gets how many bytes the program has not received yet.</summary>
    public int UnreceivedBytes => _received.Count + _underWay.Count;

    public void Listen(int backlog)
    {
        Backlog = new();
        BacklogLimit = backlog;
    }

    /// <inheritdoc />
    public override uint Poll()
    {
        if (Backlog is not null)
        {
            return Backlog.Count > 0 ? EpollEvent.IN : 0;
        }

        if (IsConnecting)
        {
            return 0;
        }

        // tcp_poll
        uint ready = 0;
        if (_isDown || (_isSendEnded && _isEndReceived))
        {
            ready |= EpollEvent.HUP;
        }

        if (_isDown || _isEndReceived)
        {
            ready |= EpollEvent.IN | EpollEvent.RDHUP;
        }

        if (_received.Count > 0)
        {
            ready |= EpollEvent.IN;
        }

        if (_error != 0)
        {
            ready |= EpollEvent.ERR;
        }

        if (_isDown || _isSendEnded || HasRoomToWake)
        {
            return ready | EpollEvent.OUT;
        }

        _hasNoSpace = true;
        return ready;
    }

    public int Receive(Span<byte> target)
    {
        // What arrived before a reset is still delivered; and after FIN a reset is only seen by who sends.
        if (_received.Count > 0)
        {
            int count = _received.Read(target);
            Arrive();
            return count;
        }

        if (_isEndReceived)
        {
            return 0;
        }

        return _error != 0 ? TakeError() : _isDown ? 0 : -EAGAIN;
    }

    /// <summary>Throws away what has arrived.</summary>
    public int Discard(int limit)
    {
        int count = 0;
        Span<byte> bytes = stackalloc byte[4096];
        while (count < limit && Receive(bytes[..Math.Min(bytes.Length, limit - count)]) is var received and > 0)
        {
            count += received;
        }

        return count > 0 ? count : -EAGAIN;
    }

    public int Send(ReadOnlySpan<byte> bytes)
    {
        if (_error != 0)
        {
            return TakeError();
        }

        if (_isDown || _isSendEnded)
        {
            return -EPIPE;
        }

        int count = Math.Min(bytes.Length, SendCapacity - _sent.Count);
        if (count < bytes.Length)
        {
            _hasNoSpace = true;
        }

        if (count <= 0)
        {
            return bytes.Length == 0 ? 0 : -EAGAIN;
        }

        _sent.Write(bytes[..count]);
        return count;
    }

    public void ShutdownSend()
    {
        _isSendEnded = true;
        Peer!.OnEnd();
        Wake(EpollEvent.OUT | (_isEndReceived ? EpollEvent.HUP : 0));
    }

    /// <inheritdoc />
    public override void OnClosed()
    {
        if (Backlog is not null)
        {
            foreach (var socket in Backlog)
            {
                socket.ResetByUs();
            }

            Backlog.Clear();
        }
        else if (IsConnecting)
        {
            ResetByUs();
        }
        else if (Peer is not null && !_isDown)
        {
            // Closing over bytes that nobody read resets, too.
            if (ResetsOnClose || _received.Count > 0 || _underWay.Count > 0)
            {
                ResetByUs();
            }
            else
            {
                Peer.OnEnd();
                _isSendEnded = true;
            }
        }

        _received.Clear();
        _underWay.Clear();
    }

    /// <summary>Gets what another connect returns: inet_stream_connect.</summary>
    public int GetConnectResult()
    {
        if (IsConnecting)
        {
            return -EALREADY;
        }

        if (_isDown)
        {
            return _error != 0 ? TakeError() : -ECONNABORTED;
        }

        bool isTold = _isConnectTold;
        _isConnectTold = true;
        return isTold ? -EISCONN : 0;
    }

    /// <summary>The peer has answered: 0, or the error that there is none.</summary>
    public void OnAnswered(int errno)
    {
        if (!IsConnecting || Number < 0)
        {
            return;
        }

        IsConnecting = false;
        _isDown = errno != 0;
        _error = errno;
        Wake(EpollEvent.OUT | (errno == 0 ? 0 : EpollEvent.IN | EpollEvent.RDHUP | EpollEvent.HUP | EpollEvent.ERR));
    }

    /// <summary>Bytes of the peer.</summary>
    public void OnData(ReadOnlySpan<byte> bytes)
    {
        if (Number < 0 && !IsWaiting && !IsHeld)
        {
            // Nobody is there any more.
            ResetByUs();
            return;
        }

        if (!_isDown)
        {
            _underWay.Write(bytes);
            Arrive();
        }
    }

    /// <summary>The peer's FIN.</summary>
    public void OnEnd()
    {
        _isEndUnderWay = true;
        Arrive();
    }

    /// <summary>The peer's RST: what it sent and what had not arrived is lost, and what we sent as well.</summary>
    public void OnReset()
    {
        if (_isDown)
        {
            return;
        }

        _isDown = true;
        _error = _isEndReceived ? EPIPE : ECONNRESET;
        _underWay.Clear();
        _sent.Clear();
        Wake(EpollEvent.IN | EpollEvent.OUT | EpollEvent.RDHUP | EpollEvent.HUP | EpollEvent.ERR);
    }

    /// <summary>The peer takes what we sent.</summary>
    public int Take(Span<byte> target)
    {
        int count = _sent.Read(target);
        if (_hasNoSpace && HasRoomToWake && !_isDown)
        {
            _hasNoSpace = false;
            Wake(EpollEvent.OUT);
        }

        return count;
    }

    /// <summary>Gets or sets whether it waits in a backlog.</summary>
    public bool IsWaiting { get; set; }

    // A third must be free before the program hears of it, so that it is not woken for every packet.
    private bool HasRoomToWake => SendCapacity - _sent.Count >= (SendCapacity + 2) / 3;

    private void ResetByUs()
    {
        _isDown = true;
        _sent.Clear();
        Peer!.OnReset();
    }

    private void Arrive()
    {
        if (_isDown)
        {
            return;
        }

        int count = Math.Min(_underWay.Count, ReceiveCapacity - _received.Count);
        if (count > 0)
        {
            _received.MoveFrom(ref _underWay, count);
            Wake(EpollEvent.IN);
        }

        if (_isEndUnderWay && _underWay.Count == 0 && !_isEndReceived)
        {
            _isEndReceived = true;
            Wake(EpollEvent.IN | EpollEvent.RDHUP | (_isSendEnded ? EpollEvent.HUP : 0));
        }
    }

    private int TakeError()
    {
        int error = _error;
        _error = 0;
        return -error;
    }
}
