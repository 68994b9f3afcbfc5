using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

public sealed partial class WebSocketConnection
{
    private CloseHandshake _close;
    private bool _isEnded;
    private bool _isEndDeferred;

    /// <summary>Starts the closing handshake (RFC 6455 §7.1.2): sends a Close frame behind what is buffered. Harmless when repeated.</summary>
    /// <param name="code">1000 to 1003, 1007 to 1014 or 3000 to 4999; or <see cref="CloseCode.NoStatusReceived"/> to send none.</param>
    /// <param name="reason">At most 123 bytes in UTF-8; the peer sees it.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="code"/> must not be sent.</exception>
    /// <exception cref="ArgumentException"><paramref name="reason"/> is too long or not well-formed.</exception>
    /// <remarks>
    /// Messages that still arrive are thrown away. The connection ends when the peer answers, at the latest after
    /// <see cref="ConnectionOptions.CloseTimeout"/>.
    /// </remarks>
    public void Close(CloseCode code = CloseCode.NormalClosure, string reason = "")
    {
        ArgumentNullException.ThrowIfNull(reason);
        ClosePayload.Validate(code, reason);
        if (Owner.IsCurrent)
        {
            BeginClose(code, reason, cause: null);
        }
        else
        {
            Owner.Post(this, new CloseRequest(code, reason), (long)Posted.Close);
        }
    }

    /// <summary>As <see cref="Close"/>, and waits until the connection has ended.</summary>
    /// <param name="code">As for <see cref="Close"/>.</param>
    /// <param name="reason">As for <see cref="Close"/>.</param>
    /// <param name="cancellationToken">Ends the wait; the close goes on.</param>
    /// <returns>How the connection ended.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Close"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<CloseInfo> CloseAsync(
        CloseCode code = CloseCode.NormalClosure, string reason = "", CancellationToken cancellationToken = default)
    {
        Close(code, reason);
        await Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        return CloseInfo!.Value;
    }

    /// <summary>Ends the connection at once: no Close frame, what is buffered is lost. Harmless when repeated.</summary>
    public void Abort()
    {
        // Never at once, not even on the owner: a handler that aborts is still using what it was lent. But it gets nothing more.
        if (Owner.IsCurrent)
        {
            _isDiscarding = true;
            Volatile.Write(ref _isSendingClosed, true);
        }

        Owner.Post(this, null, (long)Posted.Abort);
    }

    // After both Close frames it makes no difference how the connection ends: a peer may be quick to leave.
    void ITransportHandler.OnFailed(Exception error) => EndAbnormally(_close.State == CloseState.Completed ? null : error);

    void ITransportHandler.OnClosed() => Owner.Post(this, null, (long)Posted.End);

    private void BeginClose(CloseCode code, string reason, Exception? cause)
    {
        // Nothing is sent by a transport that is closing, so nothing is noted as sent.
        if (_transport.IsClosed || !_close.TrySend(code))
        {
            return;
        }

        Extras.Cause ??= cause;
        Extras.CloseReason = reason;
        SendCloseFrame(code, reason);
        _transport.Resume();
    }

    private void OnCloseFrame(ReadOnlySpan<byte> payload)
    {
        if (ClosePayload.Decode(payload, out var code, out string reason) is { } violation)
        {
            Fail(violation);
            return;
        }

        _isDiscarding = true;
        _close.TryReceive(code);
        if (_close.TrySend(_close.Answer))
        {
            // RFC 6455 §5.5.1: the answer usually echoes the code; the reason stays with whoever gave it.
            Extras.CloseReason = reason;
            SendCloseFrame(_close.Answer, "");
        }

        // RFC 6455 §7.1.1: the server closes the TCP connection first, so that the client does not keep TIME_WAIT; a client waits for it.
        if (_role == EndpointRole.Server)
        {
            _transport.CloseAfterSending();
        }
    }

    // RFC 6455 §7.1.7: fail the connection. What the peer still sends is read and thrown away for a while: closing the socket over
    // unread bytes would reset it, and the peer would never see the code.
    private void Fail(ProtocolViolation violation)
    {
        Extras.Cause ??= new ProtocolViolationException(violation);
        _isDiscarding = true;
        if (_close.TrySend(violation.CloseCode))
        {
            Extras.CloseReason = violation.Reason;
            SendCloseFrame(violation.CloseCode, violation.Reason);
        }

        if (_transport.ShutdownDelay == TimeSpan.Zero)
        {
            _transport.ShutdownAfterSending();
        }
        else
        {
            Extras.ShutdownDue = Owner.TurnTimestamp + (long)(_transport.ShutdownDelay.TotalSeconds * Owner.Time.TimestampFrequency);
            UpdateDeadline();
        }
    }

    private void SendCloseFrame(CloseCode code, string reason)
    {
        Volatile.Write(ref _isSendingClosed, true);
        _transport.EndDirect();
        Span<byte> payload = stackalloc byte[FrameCodec.MaxControlPayloadBytes];
        int length = ClosePayload.Encode(payload, code, reason);
        WriteFrame(Opcode.Close, payload[..length], isCompressed: false);
        Extras.CloseDue = Owner.TurnTimestamp + _settings.CloseTimeout;
        UpdateDeadline();
        AcceptQueuedWrites();
    }

    private void EndAbnormally(Exception? cause)
    {
        if (!_isEnded)
        {
            Extras.Cause ??= cause;
            Volatile.Write(ref _isSendingClosed, true);
            _transport.Abort();
        }
    }

    // The one catch-all between a connection and its owner: what nobody foresaw ends this connection and no other.
    private void FailUnexpectedly(Exception error)
    {
        ReportHandlerFailure(error);
        EndAbnormally(error);
        CleanContext.Restore();
    }

    // Posted by the last callback of the transport: nothing else will come.
    private void End()
    {
        if (!_isEnded)
        {
            _isEnded = true;
            Volatile.Write(ref _isSendingClosed, true);
            var info = Extras.End(_close);
            ReleaseResources();
            _shard.Events.Ended(this, info);
            Extras.Complete();
        }

        // The handler hears of the end after its own task, never beside it.
        if (_isHandlerBusy)
        {
            _isEndDeferred = true;
            return;
        }

        _ = TellOfEndAsync();
        CleanContext.Restore();
    }

    private async Task TellOfEndAsync()
    {
        try
        {
            await _dispatcher.Close(this, CloseInfo!.Value).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            ReportHandlerFailure(e);
        }

        _shard.Finish();
    }

    private void ReleaseResources()
    {
        _reader?.Dispose();
        _reader = null;
        _compression?.Dispose();
        ReleaseHeldPong();
        _shard.Remove(this);
        _transport.ReleaseDirectSlot();
        AcceptQueuedWrites();
        FailPings();
        Reads?.End();
    }

    private sealed record CloseRequest(CloseCode Code, string Reason);
}
