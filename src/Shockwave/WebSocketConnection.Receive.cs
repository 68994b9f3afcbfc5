using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

public sealed partial class WebSocketConnection
{
    // After a violation, or once the peer's Close frame is here: what still comes is read and thrown away.
    private bool _isDiscarding;
    private bool _isHandlerBusy;

    // Lent by the shard while bytes are read and a message has begun; its own where compression was agreed on.
    private MessageReader? _reader;

    int ITransportHandler.OnReceived(Span<byte> bytes)
    {
        _lastReceived = Owner.TurnTimestamp;
        if (_isDiscarding)
        {
            _shard.BytesReceived += bytes.Length;
            return bytes.Length;
        }

        var reader = _reader ??= _shard.RentReader(_role, _settings.Limits);
        bool wasMidMessage = reader.IsMidMessage;
        int position = 0;
        while (position < bytes.Length && !_transport.IsPaused && !_isDiscarding)
        {
            var result = reader.Read(bytes[position..], out int consumed, out var payload);
            position += consumed;
            if (result == MessageEvent.Message)
            {
                OnMessage(reader, payload);
            }
            else
            {
                OnEvent(reader, result, payload);
            }

            reader.ReleaseMessage();
        }

        AfterReading(reader, wasMidMessage);

        // What a pause leaves comes again, and is counted then.
        int done = _isDiscarding ? bytes.Length : position;
        _shard.BytesReceived += done;
        return done;
    }

    Span<byte> ITransportHandler.GetReceiveWindow() => _reader is null || _isDiscarding ? default : _reader.GetWindow();

    void ITransportHandler.OnReceivedInWindow(int count)
    {
        _lastReceived = Owner.TurnTimestamp;
        _shard.BytesReceived += count;
        var reader = _reader!;
        OnEvent(reader, reader.ReadWindow(count, out var payload), payload);
        reader.ReleaseMessage();
        AfterReading(reader, wasMidMessage: true);
    }

    private void AfterReading(MessageReader reader, bool wasMidMessage)
    {
        CleanContext.Restore();
        if (_isDiscarding)
        {
            // Nothing more will be read: what has half arrived is given back now, not when the peer is done.
            reader.Dispose();
            _reader = null;
        }
        else if (!reader.IsMidMessage)
        {
            _messageStarted = 0;
            ReleaseReader(reader);
        }
        else if (!wasMidMessage || _messageStarted == 0)
        {
            _messageStarted = _lastReceived;
            UpdateDeadline();
        }

        _extras?.Reads?.EndReceive();
    }

    // A handler that is busy while the peer hangs up learns of it; what was received before is still read afterwards.
    void ITransportHandler.OnHangUp() => Extras.CancelClosed();

    private void ReleaseReader(MessageReader reader)
    {
        if (_compression is null)
        {
            _reader = null;
            _shard.ReturnReader(reader);
        }
    }

    void ITransportHandler.OnReceiveEnded(Exception? error)
    {
        if (_close.State == CloseState.Completed || (_isDiscarding && error is null))
        {
            _transport.CloseAfterSending();
            return;
        }

        EndAbnormally(error ?? new EndOfStreamException("The peer ended the connection without a Close frame."));
    }

    private void OnEvent(MessageReader reader, MessageEvent result, Span<byte> payload)
    {
        switch (result)
        {
            case MessageEvent.Message:
                OnMessage(reader, payload);
                break;
            case MessageEvent.Ping:
                AnswerPing(payload);
                break;
            case MessageEvent.Pong:
                OnPong(payload);
                break;
            case MessageEvent.Close:
                OnCloseFrame(payload);
                break;
            case MessageEvent.Violation:
                Fail(reader.Violation!);
                break;
            case MessageEvent.None:
            default:
                break;
        }
    }

    private void OnMessage(MessageReader reader, ReadOnlySpan<byte> payload)
    {
        _messageStarted = 0;

        // Whoever has said goodbye, or failed, listens only for the answer.
        if (!_close.MaySendData)
        {
            return;
        }

        _shard.MessagesReceived++;
        _shard.DeliveredPayload = AddressOf(payload);
        try
        {
            _dispatcher.Message(this, new Message(payload, reader.IsText ? MessageType.Text : MessageType.Binary, reader));
        }
        catch (Exception e)
        {
            FailHandler(e);
        }

        CleanContext.RestoreFlow();
    }

    /// <summary>Stops reading until <see cref="PostHandlerCompleted"/>. On the owner.</summary>
    internal void PauseForHandler()
    {
        _isHandlerBusy = true;
        Extras.HandlerDue = Owner.TurnTimestamp + _settings.HandlerTimeout;

        // A handler that waits for its own close to be answered must not keep us from reading the answer.
        if (_close.MaySendData)
        {
            _transport.Pause();
        }

        // The deadline that is set is never further away than WriteTimeout.
        if (_settings.HandlerTimeout < _settings.WriteTimeout)
        {
            UpdateDeadline();
        }
    }

    /// <summary>Says that the handler's task has ended. Any thread.</summary>
    internal void PostHandlerCompleted(Exception? error) => Owner.Post(this, error, (long)Posted.HandlerCompleted);

    /// <summary>Stops reading until <see cref="PostReadMore"/>: enough is waiting for pull reads. On the owner.</summary>
    internal void PauseForReads()
    {
        if (_close.MaySendData)
        {
            _transport.Pause();
        }
    }

    /// <summary>Goes on reading for pull reads. Any thread.</summary>
    internal void PostReadMore() => Owner.Post(this, null, (long)Posted.ReadMore);

    internal void ReportHandlerFailure(Exception error) => _shard.Events.HandlerFailed(this, error);

    private void OnHandlerCompleted(Exception? error)
    {
        _isHandlerBusy = false;
        error = Extras.IsHandlerOverdue ? null : error;
        if (_isEndDeferred)
        {
            // That it noticed the end is nothing to report.
            if (error is not (null or OperationCanceledException or ConnectionClosedException))
            {
                ReportHandlerFailure(error);
            }

            End();
            return;
        }

        if (error is not null)
        {
            FailHandler(error);
        }

        ResumeReading();
    }

    private void ResumeReading()
    {
        // While we did not read, the peer could not have been heard: its deadlines begin anew.
        _lastReceived = Owner.TurnTimestamp;
        _messageStarted = _messageStarted == 0 ? 0 : _lastReceived;
        _pongDue = _pongDue == 0 ? 0 : _lastReceived + _settings.PongTimeout;
        _transport.Resume();
        UpdateDeadline();
    }

    private void FailHandler(Exception error)
    {
        ReportHandlerFailure(error);
        BeginClose(CloseCode.InternalError, "", error);
    }
}
