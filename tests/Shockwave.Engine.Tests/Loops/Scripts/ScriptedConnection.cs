using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

/// <summary>One connection's life: a handler and a peer that do whatever they may do, at any moment, and check what they see.</summary>
/// <remarks>
/// Both have a number of moves. Then the handler only receives, and resumes when it is paused; the peer takes what is sent to it and ends;
/// so every life comes to its end.
/// </remarks>
internal sealed class ScriptedConnection : ITransportHandler, IOwnerWork
{
    // The most that a handler leaves unread, beside what a single delivery brings.
    private const int MaxUnread = 2000;

    private const long Move = 0;
    private const long Resume = 1;
    private const long Reopen = 2;

    private readonly ScriptedRun _run;
    private readonly Dice _dice;
    private readonly int _id;
    private readonly Pattern _incoming;
    private readonly Pattern _outgoing;
    private SocketTransport? _transport;
    private byte[]? _window;
    private int _moves;
    private int _peerMoves;
    private int _depth;
    private long _received;
    private long _written;
    private long _taken;
    private bool _isBegun;
    private bool _isReceiving;
    private bool _isPausedNow;
    private bool _isShut;
    private bool _isEnded;
    private bool _isHungUp;
    private bool _isDetaching;
    private bool _isAborted;
    private bool _isCloseCalled;
    private bool _isFailed;
    private bool _isClosed;
    private bool _isThrownAway;

    public ScriptedConnection(ScriptedRun run, int id, FakePeer peer)
    {
        (_run, _dice, _id, Peer) = (run, run.Dice, id, peer);
        _incoming = new Pattern(id * 2);
        _outgoing = new Pattern((id * 2) + 1);
        _moves = _dice.Between(0, 12);
        _peerMoves = _dice.Between(1, 12);
        peer.Capacity = _dice.Between(1, _dice.OneIn(2) ? 100 : 50_000);
        peer.Window = _dice.Between(1, _dice.OneIn(2) ? 1000 : 200_000);
    }

    public FakePeer Peer { get; }

    /// <summary>Gets whether nothing more will be heard of it.</summary>
    public bool IsOver => _isClosed || _isThrownAway || (!_isBegun && !Peer.Inner.IsWaiting);

    /// <inheritdoc />
    public override string ToString() =>
        $"connection {_id}: received {_received} of {Peer.SentByUs}, sent {Peer.SentToUs} of {_written}, taken {_taken}"
        + $"{(_isBegun ? "" : " not accepted")}{(_isCloseCalled ? " close" : "")}{(_isEnded ? " ended" : "")}{(_isDetaching ? " detaching" : "")}"
        + $"{(_transport?.IsPaused == true ? " paused" : "")}{(Peer.HasReset ? " reset" : "")}{(Peer.HasEnded ? " peer ended" : "")}";

    public void Begin(SocketTransport transport)
    {
        _isBegun = true;
        Attach(transport);
        transport.NeverPauses = _dice.OneIn(2);
        if (_dice.OneIn(4))
        {
            Act();
        }

        if (!transport.IsClosed && !_isDetaching)
        {
            transport.Start();
        }
    }

    /// <summary>The peer does something: at any moment, also in the middle of a call of the loop.</summary>
    public void LetPeerAct()
    {
        if (Peer.HasReset || IsOver)
        {
            return;
        }

        if (--_peerMoves < 0)
        {
            Peer.Capacity = Math.Max(Peer.Capacity, 10_000);
            Peer.Window = Math.Max(Peer.Window, 10_000);
            Take(int.MaxValue);
            if (!Peer.HasEnded)
            {
                Peer.End();
            }

            return;
        }

        switch (_dice.Below(16))
        {
            case < 7:
                Send(_dice.Between(1, 1500));
                break;
            case 7:
                Send(_dice.Between(1, 100_000));
                break;
            case < 11:
                Take(_dice.Between(1, 5000));
                break;
            case < 13:
                Take(int.MaxValue);
                break;
            case 13:
                Peer.Capacity = _dice.Between(1, 20_000);
                break;
            case 14:
                EndPeer();
                break;
            default:
                if (_dice.OneIn(3))
                {
                    Peer.Reset();
                }

                break;
        }
    }

    /// <summary>Something of the program's own: posted work, from here or another thread.</summary>
    public void Nudge()
    {
        if (_transport is null || _isDetaching || _isClosed)
        {
            return;
        }

        if (_moves > 0 && _dice.OneIn(2))
        {
            _run.Loop.Post(this, null, Move);
        }
        else if (_transport.IsPaused && (_moves <= 0 || _dice.OneIn(4)))
        {
            _run.Loop.Post(this, null, Resume);
        }
    }

    int ITransportHandler.OnReceived(Span<byte> bytes)
    {
        BeginCall();
        Expect(!_transport!.IsPaused && !_isEnded && !_isReceiving && !bytes.IsEmpty, "Bytes are delivered when none may be.");
        Expect(_received + bytes.Length <= Peer.SentByUs, "More is delivered than was sent.");
        Expect(bytes.SequenceEqual(_incoming.At(_received, bytes.Length)), "Other bytes are delivered than were sent.");
        _isReceiving = true;
        _isPausedNow = false;
        int borrowed = _dice.OneIn(4) ? Borrow(bytes) : 0;
        Act();
        Act();

        // Only who paused may leave something, and what it paused over and nobody else wrote to is as it was.
        int consumed = _isPausedNow ? _dice.Between(borrowed, bytes.Length) : bytes.Length;
        Expect(bytes[borrowed..].SequenceEqual(_incoming.At(_received + borrowed, bytes.Length - borrowed)), "The bytes changed while they were delivered.");
        _received += consumed;
        if (_isPausedNow && _transport is { IsPaused: true, IsClosed: false } && !_isDetaching && _dice.OneIn(3))
        {
            GiveBack(Math.Min(consumed, MaxUnread));
        }

        bytes[borrowed..consumed].Fill(0xBB);
        _isReceiving = false;
        return consumed;
    }

    Span<byte> ITransportHandler.GetReceiveWindow()
    {
        if (_window is null && _dice.OneIn(3))
        {
            _window = _run.Pool.Rent(_dice.Between(16, 3000));
        }

        return _window;
    }

    void ITransportHandler.OnReceivedInWindow(int count)
    {
        BeginCall();
        Expect(!_transport!.IsPaused && !_isEnded && !_isReceiving && count > 0, "Bytes are delivered when none may be.");
        Expect(_window.AsSpan(0, count).SequenceEqual(_incoming.At(_received, count)), "Other bytes are delivered than were sent.");
        _received += count;
        ReturnWindow();
        _isReceiving = true;
        Act();
        _isReceiving = false;
    }

    void ITransportHandler.OnReceiveEnded(Exception? error)
    {
        BeginCall();
        Expect(!_isEnded && !_isReceiving && !_transport!.IsPaused, "The end is told when it may not be.");
        Expect(error is null ? Peer.HasEnded || Peer.HasReset : Peer.HasReset, "An end is told that nobody made.");
        Expect(Peer.HasReset || _received == Peer.SentByUs, "The end is told before the last byte.");
        _isEnded = true;
        Act();
        if (_moves <= 0 || error is not null || _dice.OneIn(2))
        {
            Close(isAbort: error is not null || _dice.OneIn(4));
        }
        else
        {
            // Half-closed for a while.
            _run.Loop.Post(this, null, Move);
        }
    }

    void ITransportHandler.OnHangUp()
    {
        BeginCall();
        Expect(_transport!.IsPaused && !_isHungUp && !_isEnded, "A hang-up is told when it may not be.");
        Expect(Peer.HasEnded || Peer.HasReset, "A hang-up is told that nobody made.");
        _isHungUp = true;
        Act();
    }

    void ITransportHandler.OnDrained()
    {
        BeginCall();
        Expect(_transport!.UnsentBytes == 0 && Peer.SentToUs == _written, "A drain is told before the last byte is sent.");
        Act();
    }

    void ITransportHandler.OnFailed(Exception error)
    {
        BeginCall();
        Expect(error is IOException, $"A handler threw: {error}");
        Expect(Peer.HasReset || _run.Kernel.Faults.SendFails > 0, $"A send failed that could not: {error.Message}");
        _isFailed = true;
        Close(isAbort: true);
    }

    void ITransportHandler.OnDeadline()
    {
        BeginCall();
        Act();
    }

    void ITransportHandler.OnClosed()
    {
        // A detach that the end of the loop comes before is undone by it.
        Expect(!_isClosed && !_isThrownAway, "A close is told twice.");
        Expect(_isCloseCalled || _run.IsEnding, "A close is told that nobody asked for.");
        _isClosed = true;
        ReturnWindow();
    }

    void IOwnerWork.Run(object? state, long argument)
    {
        if (state is DetachedSocket detached)
        {
            OnDetached(detached, argument == Reopen);
        }
        else if (_transport is not null && !_isDetaching && !_isClosed)
        {
            if (argument == Resume)
            {
                _transport.Resume();
            }
            else
            {
                Act();
                if (_isEnded && _moves <= 0)
                {
                    Close(isAbort: false);
                }
                else if (_isEnded)
                {
                    _run.Loop.Post(this, null, Move);
                }
            }
        }
    }

    /// <summary>Checks a life that is over.</summary>
    public void Check()
    {
        Expect(!_isBegun || _isClosed || _isThrownAway, "It is over, and nobody said so.");
        if (!Peer.HasReset)
        {
            Take(int.MaxValue);
            bool mayBeLost = _isAborted || _isFailed || _isThrownAway || Peer.WasReset || !_isBegun;
            Expect(mayBeLost || _taken == _written, $"Of {_written} bytes {_taken} were sent before a proper close.");
            Expect(mayBeLost || Peer.IsEnded, "The peer does not know of the close.");
        }
    }

    /// <summary>Checks that the end of the loop was the end of the connection.</summary>
    public void CheckEnded()
    {
        _isAborted = true;
        Expect(!_isBegun || _isClosed || _isThrownAway, $"The loop has ended without closing {this}");
        Check();
    }

    private void BeginCall() => Expect(_isBegun && !_isClosed && _transport is not null, "A call comes after the last one.");

    private void Act()
    {
        if (_moves <= 0 || _isClosed || _isDetaching || _transport is not { } transport || _depth > 1)
        {
            return;
        }

        _moves--;
        _depth++;
        switch (_dice.Below(24))
        {
            case < 6:
                Write(_dice.Between(1, 300));
                break;
            case 6:
                Write(_dice.Between(1, 40_000));
                break;
            case 7:
                WritePooled(_dice.Between(0, 5000));
                break;
            case < 10:
                Pause();
                break;
            case 10:
                transport.Resume();
                break;
            case 11:
                Pause();
                _run.Loop.Post(this, null, Resume);
                break;
            case < 14:
                _run.Loop.Post(this, null, Move);
                break;
            case 14 when _dice.OneIn(3):
                Close(isAbort: false);
                break;
            case 15 when _dice.OneIn(3):
                Close(isAbort: true);
                break;
            case 16 when _dice.OneIn(2):
                _isShut = true;
                transport.ShutdownAfterSending();
                break;
            case 17:
                transport.SetDeadline(_run.Time.GetTimestamp() + _dice.Below((int)(3 * TimeSpan.TicksPerSecond)));
                break;
            case < 20:
                _run.Any()?.Act();
                break;
            case 20 when !_isReceiving && !_isEnded && transport is { IsPaused: true, IsClosed: false }:
                GiveBack(MaxUnread);
                break;
            case < 23 when transport is { IsPaused: true, UnsentBytes: 0, IsClosed: false } && !_isCloseCalled:
                Detach();
                break;
            case 23 when _isCloseCalled:
                WriteTooLate();
                break;
        }

        _depth--;
    }

    private void Pause()
    {
        _isPausedNow = true;
        _transport!.Pause();
    }

    private void Close(bool isAbort)
    {
        if (_isClosed || _isDetaching)
        {
            return;
        }

        _isCloseCalled = true;
        _isAborted |= isAbort;
        if (isAbort)
        {
            _transport!.Abort();
        }
        else
        {
            _transport!.CloseAfterSending();
        }
    }

    private void Write(int count)
    {
        if (!_isShut && !_transport!.IsClosed)
        {
            _outgoing.At(_written, count).CopyTo(_transport.GetSpan(count));
            _written += count;
            _transport.Commit(count);
        }
    }

    private void WritePooled(int count)
    {
        if (!_isShut && !_transport!.IsClosed)
        {
            byte[] buffer = _run.Pool.Rent(count + 10);
            _outgoing.At(_written, count).CopyTo(buffer.AsSpan(7));
            _written += count;
            _transport.Write(buffer, 7, count);
        }
    }

    // Nobody will ever see it, and its buffer comes back.
    private void WriteTooLate()
    {
        if (_transport!.IsClosed)
        {
            _transport.GetSpan(100)[..100].Fill(0x66);
            _transport.Commit(100);
        }
    }

    // Sends a part of what was received from where it lies, with something in front. Returns how many bytes are used for it.
    private int Borrow(Span<byte> bytes)
    {
        int before = _dice.Between(0, 16);
        if (_isShut || _transport!.IsClosed || bytes.Length < before + 2)
        {
            return 0;
        }

        int count = _dice.Between(1, bytes.Length - before - 1);
        if (!_transport.TryBorrow(bytes.Slice(before, count), before, out var space))
        {
            return 0;
        }

        Expect(space.Length == before + count, "The borrowed room has another size.");
        _outgoing.At(_written, space.Length).CopyTo(space);
        _written += space.Length;
        _transport.WriteBorrowed(space);
        return before + count;
    }

    private void GiveBack(int limit)
    {
        int count = (int)Math.Min(_received, _dice.Below(limit + 1));
        _received -= count;
        _transport!.Unread(_incoming.At(_received, count));
    }

    private void Detach()
    {
        _isDetaching = true;
        _transport!.Detach(this);
    }

    private void OnDetached(DetachedSocket detached, bool isReopening)
    {
        Expect(_isDetaching && !_isClosed, "A socket is handed over that nobody asked for.");
        Expect(detached.Unread.AsSpan().SequenceEqual(_incoming.At(_received, detached.Unread.Length)), "Other bytes are handed over than were sent.");
        ReturnWindow();
        _transport = null;
        if (!isReopening && _dice.OneIn(2))
        {
            _run.Loop.Post(this, detached, Reopen);
            return;
        }

        if (_dice.OneIn(4))
        {
            _isThrownAway = true;
            _run.Kernel.Close(detached.Socket);
            return;
        }

        _isDetaching = false;

        // The next transport finds out by itself, and tells it again.
        _isHungUp = _isEnded = false;
        Attach(_run.Loop.Open(detached.Socket));
        _transport!.Unread(detached.Unread);
        if (_dice.OneIn(2))
        {
            _transport.Pause();
        }

        _transport.Start();
    }

    private void Attach(SocketTransport transport)
    {
        _transport = transport;
        transport.Attach(this);
    }

    private void ReturnWindow()
    {
        if (_window is not null)
        {
            _run.Pool.Return(_window);
            _window = null;
        }
    }

    private void Send(int count)
    {
        if (!Peer.HasEnded)
        {
            Peer.Send(_incoming.At(Peer.SentByUs, count));
        }
    }

    private void EndPeer()
    {
        if (Peer.HasEnded)
        {
            return;
        }

        if (_dice.OneIn(3))
        {
            Peer.Close();
        }
        else
        {
            Peer.End();
        }
    }

    private void Take(int limit)
    {
        Span<byte> bytes = stackalloc byte[4096];
        int count;
        while (limit > 0 && (count = Peer.Take(bytes[..Math.Min(bytes.Length, limit)])) > 0)
        {
            Expect(bytes[..count].SequenceEqual(_outgoing.At(_taken, count)), "Other bytes are sent than were written.");
            _taken += count;
            limit -= count;
        }

        Expect(_taken <= _written, "More was sent than was written.");
    }

    private void Expect(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw _run.Fail($"{otherwise} {this}");
        }
    }
}
