using System.Buffers.Binary;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

public sealed partial class WebSocketConnection
{
    // A peer that reads nothing gets one pong, the latest, however often it pings (RFC 6455 §5.5.3 allows just that).
    private const int HoldPongAboveBytes = 16 * 1024;

    private long _lastReceived;
    private long _messageStarted;
    private long _lastPing;
    private long _pongDue;
    private long _roundTripTicks = -1;

    /// <summary>Gets how long the last ping took to come back; <see langword="null"/> before the first pong.</summary>
    public TimeSpan? RoundTripTime => Interlocked.Read(ref _roundTripTicks) is var ticks and >= 0 ? TimeSpan.FromTicks(ticks) : null;

    /// <summary>Sends a ping and waits for its pong (RFC 6455 §5.5.2).</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The round-trip time.</returns>
    /// <exception cref="ConnectionClosedException">The connection ended before the pong came.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
    {
        var request = new PingRequest();
        Owner.Post(this, request, (long)Posted.Ping);
        return request.Completion.Task.WaitAsync(cancellationToken);
    }

    void ITransportHandler.OnDeadline()
    {
        long now = Owner.TurnTimestamp;
        if (_transport.IsClosed)
        {
            // Properly, but the stream does not let go.
            if (now >= CloseDue)
            {
                _transport.Abort();
            }
        }
        else if (_transport.UnsentBytes > 0 && now - _transport.LastSendProgress >= _settings.WriteTimeout)
        {
            EndAbnormally(new TimeoutException("The peer took nothing of what was buffered for it within WriteTimeout."));
        }
        else if (CloseDue != 0)
        {
            CheckClosing(now);
        }
        else
        {
            CheckPeer(now);
        }

        UpdateDeadline();
    }

    private void CheckClosing(long now)
    {
        if (now >= CloseDue && _shard.IsDraining)
        {
            // A slow peer gets all that is buffered for it: CloseTimeout begins when that is sent. The whole is bounded by whoever stops
            // the server, and WriteTimeout ends a peer that takes nothing.
            long sent = _transport.UnsentBytes > 0 ? now : _transport.LastSendProgress;
            Extras.CloseDue = Math.Max(Extras.CloseDue, sent + _settings.CloseTimeout);
        }

        if (now >= CloseDue)
        {
            EndAbnormally(_close.State == CloseState.Completed ? null : new TimeoutException("The peer did not complete the closing handshake within CloseTimeout."));
        }
        else if (Extras.ShutdownDue is var due and not 0 && now >= due)
        {
            Extras.ShutdownDue = 0;
            _transport.ShutdownAfterSending();
        }
    }

    private void CheckPeer(long now)
    {
        if (_isHandlerBusy && now >= Extras.HandlerDue)
        {
            Extras.IsHandlerOverdue = true;
            Extras.CancelClosed();
            FailHandler(new TimeoutException("The handler's task did not end within HandlerTimeout."));
            return;
        }

        // While we are the ones who do not read, the peer cannot be blamed for silence.
        if (!_transport.IsPaused)
        {
            if (_pongDue != 0 && now >= _pongDue)
            {
                EndAbnormally(new TimeoutException("The peer did not answer a ping within PongTimeout."));
                return;
            }

            if (now - _lastReceived >= _settings.IdleTimeout)
            {
                BeginClose(CloseCode.GoingAway, "idle", new TimeoutException("The peer sent nothing within IdleTimeout."));
                return;
            }

            if (_messageStarted != 0 && now - _messageStarted >= _settings.MessageTimeout)
            {
                BeginClose(CloseCode.PolicyViolation, "message took too long", new TimeoutException("A message did not arrive whole within MessageTimeout."));
                return;
            }
        }

        // A pong that waits unread behind a pause must not end the pings: they also tell the peer, and what is between, that we live.
        if ((_pongDue == 0 || _transport.IsPaused) && now - _lastPing >= _settings.PingInterval)
        {
            WritePing(Owner.Time.GetTimestamp());
        }
    }

    // Zero before the closing handshake.
    private long CloseDue => _extras?.CloseDue ?? 0;

    // Only a deadline that came nearer needs this; one that moved away is found out when the old one passes.
    private void UpdateDeadline()
    {
        if (_isEnded)
        {
            return;
        }

        long now = Owner.TurnTimestamp;
        long due = now + _settings.WriteTimeout;
        if (_transport.UnsentBytes > 0)
        {
            due = _transport.LastSendProgress + _settings.WriteTimeout;
        }

        if (CloseDue is var closeDue and not 0)
        {
            due = Math.Min(due, Extras.ShutdownDue is var shutdownDue and not 0 ? shutdownDue : closeDue);
        }
        else if (_transport.IsPaused)
        {
            due = Math.Min(due, _lastPing + _settings.PingInterval);
            due = _isHandlerBusy ? Math.Min(due, Extras.HandlerDue) : due;
        }
        else
        {
            due = Math.Min(due, _lastReceived + _settings.IdleTimeout);
            due = Math.Min(due, _pongDue != 0 ? _pongDue : _lastPing + _settings.PingInterval);
            due = _messageStarted == 0 ? due : Math.Min(due, _messageStarted + _settings.MessageTimeout);
        }

        _transport.SetDeadline(due);
    }

    private void AnswerPing(ReadOnlySpan<byte> payload)
    {
        if (!CanSend)
        {
            return;
        }

        if (_transport.UnsentBytes <= HoldPongAboveBytes)
        {
            WriteFrame(Opcode.Pong, payload, isCompressed: false);
            return;
        }

        byte[] held = Extras.HeldPong ??= BufferPool.Shared.Rent(FrameCodec.MaxControlPayloadBytes);
        payload.CopyTo(held);
        Extras.HeldPongLength = payload.Length;
    }

    private void SendHeldPong()
    {
        if (_extras?.HeldPong is { } held)
        {
            if (CanSend)
            {
                WriteFrame(Opcode.Pong, held.AsSpan(0, _extras.HeldPongLength), isCompressed: false);
            }

            ReleaseHeldPong();
        }
    }

    private void ReleaseHeldPong()
    {
        if (_extras?.HeldPong is { } held)
        {
            _extras.HeldPong = null;
            BufferPool.Shared.Return(held);
        }
    }

    private void SendPing(PingRequest request)
    {
        if (!CanSend)
        {
            request.Completion.TrySetException(new ConnectionClosedException(CloseInfo ?? Extras.Describe(_close)));
            return;
        }

        // Its own time tells one ping from another; two within one tick of the clock are answered together.
        request.SentAt = Owner.Time.GetTimestamp();
        (Extras.Pings ??= []).Add(request);
        WritePing(request.SentAt);
    }

    private void WritePing(long timestamp)
    {
        _lastPing = timestamp;
        if (_pongDue == 0)
        {
            _pongDue = timestamp + _settings.PongTimeout;
            UpdateDeadline();
        }

        Span<byte> payload = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(payload, timestamp);
        WriteFrame(Opcode.Ping, payload, isCompressed: false);
    }

    private void OnPong(ReadOnlySpan<byte> payload)
    {
        // RFC 6455 §5.5.3: a pong that nobody asked for is a one-way heartbeat.
        if (payload.Length != sizeof(long))
        {
            return;
        }

        long sentAt = BinaryPrimitives.ReadInt64BigEndian(payload);
        bool isLatest = sentAt == _lastPing && _pongDue != 0;
        var pings = _extras?.Pings;
        int answered = pings?.FindLastIndex(ping => ping.SentAt == sentAt) + 1 ?? 0;
        if (!isLatest && answered == 0)
        {
            return;
        }

        var roundTrip = Owner.Time.GetElapsedTime(sentAt);
        Interlocked.Exchange(ref _roundTripTicks, roundTrip.Ticks);

        // RFC 6455 §5.5.3: a peer may answer the latest ping only. Any pong shows that it lives; a later ping's is still awaited.
        _pongDue = isLatest ? 0 : Owner.TurnTimestamp + _settings.PongTimeout;
        UpdateDeadline();

        // A pong answers every ping before it as well (RFC 6455 §5.5.3).
        for (int i = 0; i < answered; i++)
        {
            pings![i].Completion.TrySetResult(Owner.Time.GetElapsedTime(pings[i].SentAt));
        }

        pings?.RemoveRange(0, answered);
    }

    private void FailPings()
    {
        foreach (var ping in Extras.Pings ?? [])
        {
            ping.Completion.TrySetException(new ConnectionClosedException(CloseInfo!.Value));
        }

        Extras.Pings = null;
    }
}
