using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Shockwave.Engine;

/// <summary>The portable transport: a stream, read and written from a strand.</summary>
/// <remarks>
/// The stream must not buffer what is written to it. It is first read with an empty buffer where that waits for data, so that an idle
/// connection holds no memory. One read and one write are under way at most; closing cancels both, and
/// <see cref="ITransportHandler.OnClosed"/> comes when both have ended, so no buffer is returned while the stream still uses it.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Disposed when the transport reports that it is closed.")]
[SuppressMessage("Reliability", "CA2012", Justification = "Awaited by hand: each awaiter is stored, completed and read exactly once.")]
internal class StreamTransport : Transport, IOwnerWork
{
    // Of what a paused handler leaves no more than this is held here; whatever is in front of the stream holds some as well.
    private const int ReceiveBytes = 16 * 1024;

    // What one connection receives before the others of its owner have their turn.
    private const int MaxTurnBytes = 64 * 1024;

    // A large message is sent in pieces, so that a slow peer is seen to make progress.
    private const int MaxSendBytes = 64 * 1024;

    private const long ReceiveCompleted = 0;
    private const long SendEnded = 1;
    private const long ContinueReceiving = 2;

    private readonly Stream _stream;
    private readonly CancellationTokenSource _closing = new();
    private readonly Action _onReceiveCompleted;
    private readonly Action _onSendCompleted;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _receive;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _send;
    private byte[]? _buffer;
    private int _start;
    private int _end;
    private int _sendingBytes;
    private bool _isReceiving;
    private bool _isWaitingForData;
    private bool _isDelivering;
    private bool _isReceiveEnded;
    private bool _isContinuePosted;
    private bool _isClosedReported;

    public StreamTransport(ConnectionOwner owner, Stream stream)
        : base(owner)
    {
        _stream = stream;
        _onReceiveCompleted = () => Owner.Run(this, null, ReceiveCompleted);
        _onSendCompleted = () => Owner.Run(this, null, SendEnded);
    }

    void IOwnerWork.Run(object? state, long argument)
    {
        try
        {
            Continue(argument);
        }
        catch (Exception e)
        {
            Handler.OnFailed(e);
        }
    }

    /// <inheritdoc />
    protected override void StartReceiving() => Receive();

    /// <inheritdoc />
    protected override void ResumeReceiving()
    {
        // A handler may resume from within its own call: the loop that is delivering goes on by itself.
        if (!_isDelivering)
        {
            PostContinue();
        }
    }

    /// <inheritdoc />
    protected override void Send()
    {
        while (!IsSending && !IsClosed && Output is { IsEmpty: false } output)
        {
            var bytes = output[0].Memory;
            _sendingBytes = Math.Min(bytes.Length, MaxSendBytes);
            IsSending = true;
            if (!TrySend(bytes[.._sendingBytes]))
            {
                return;
            }

            IsSending = false;
            if (Sent(_sendingBytes))
            {
                return;
            }
        }
    }

    // Returns true when the bytes were taken at once; otherwise the end of the send is posted.
    private bool TrySend(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            _send = _stream.WriteAsync(bytes, _closing.Token).ConfigureAwait(false).GetAwaiter();
        }
        catch (Exception e)
        {
            _send = ValueTask.FromException(e).ConfigureAwait(false).GetAwaiter();
        }

        if (_send.IsCompleted)
        {
            var error = EndSend();
            if (error is null)
            {
                return true;
            }

            _send = ValueTask.FromException(error).ConfigureAwait(false).GetAwaiter();
            Owner.Post(this, null, SendEnded);
            return false;
        }

        _send.UnsafeOnCompleted(_onSendCompleted);
        return false;
    }

    /// <inheritdoc />
    protected override void ShutdownSend()
    {
        // A plain stream has no half; the peer sees the end when the stream closes.
    }

    /// <inheritdoc />
    protected override void CloseStream(bool isAbort)
    {
        try
        {
            if (isAbort)
            {
                AbortStream();
            }

            _closing.Cancel();
        }
        catch (Exception e)
        {
            // The stream's own code. Whether it minds or not, this connection is over.
            Debug.WriteLine(e);
        }

        if (!_isReceiving && !_isDelivering)
        {
            ReturnBuffer();
        }

        ReportClosed();
    }

    /// <summary>Makes reads and writes under way fail.</summary>
    protected virtual void AbortStream() => _stream.Dispose();

    /// <summary>Releases the stream. Nothing reads or writes it any more.</summary>
    protected virtual void ReleaseStream() => _stream.Dispose();

    private void Continue(long step)
    {
        switch (step)
        {
            case ReceiveCompleted:
                if (EndReceive())
                {
                    Receive();
                }

                break;

            case SendEnded:
                OnSendEnded(EndSend());
                ReportClosed();
                break;

            default:
                _isContinuePosted = false;
                Receive();
                break;
        }
    }

    // Receives and delivers until there is nothing, a pause, or enough for one turn.
    private void Receive()
    {
        int delivered = 0;
        while (!IsPaused && !IsClosed && !_isReceiving && !_isDelivering)
        {
            if (_start < _end)
            {
                delivered += _end - _start;
                Deliver();
                if (delivered >= MaxTurnBytes && !IsPaused && !IsClosed)
                {
                    PostContinue();
                    return;
                }
            }
            else if (_isReceiveEnded || !BeginReceive())
            {
                return;
            }
        }
    }

    private void Deliver()
    {
        _isDelivering = true;
        try
        {
            _start += Handler.OnReceived(_buffer.AsSpan(_start, _end - _start));
        }
        finally
        {
            _isDelivering = false;
        }

        Debug.Assert(_start == _end || IsPaused || IsClosed, "Only a paused connection leaves bytes.");
        if (IsClosed)
        {
            ReturnBuffer();
            ReportClosed();
        }
    }

    // Returns true when bytes, or the end, came at once.
    private bool BeginReceive()
    {
        // A receive that filled the buffer promises more; any other one gives the buffer back and waits without one.
        bool wasFull = _buffer is not null && _end == _buffer.Length;
        _start = _end = 0;
        if (!wasFull && !_isWaitingForData)
        {
            ReturnBuffer();
            _isWaitingForData = true;
            return TryReceive(Memory<byte>.Empty);
        }

        _isWaitingForData = false;
        _buffer ??= Owner.Buffers.Rent(ReceiveBytes);
        return TryReceive(_buffer);
    }

    private bool TryReceive(Memory<byte> destination)
    {
        _isReceiving = true;
        try
        {
            _receive = _stream.ReadAsync(destination, _closing.Token).ConfigureAwait(false).GetAwaiter();
        }
        catch (Exception e)
        {
            _receive = ValueTask.FromException<int>(e).ConfigureAwait(false).GetAwaiter();
        }

        if (_receive.IsCompleted)
        {
            return EndReceive();
        }

        _receive.UnsafeOnCompleted(_onReceiveCompleted);
        return false;
    }

    // Returns true when receiving may go on.
    private bool EndReceive()
    {
        _isReceiving = false;
        int count = 0;
        Exception? error = null;
        try
        {
            count = _receive.GetResult();
        }
        catch (Exception e)
        {
            // Whatever a stream throws ends this connection and no other.
            error = e;
        }

        if (IsClosed)
        {
            ReturnBuffer();
            ReportClosed();
            return false;
        }

        if (error is not null || (count == 0 && !_isWaitingForData))
        {
            _isReceiveEnded = true;
            ReturnBuffer();
            Handler.OnReceiveEnded(error);
            return false;
        }

        _end = count;
        return true;
    }

    private void OnSendEnded(Exception? error)
    {
        IsSending = false;
        if (IsClosed)
        {
            ReleaseOutput();
        }
        else if (error is not null)
        {
            Handler.OnFailed(error);
        }
        else if (!Sent(_sendingBytes))
        {
            Send();
        }
    }

    private Exception? EndSend()
    {
        try
        {
            _send.GetResult();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private void PostContinue()
    {
        if (!_isContinuePosted)
        {
            _isContinuePosted = true;
            Owner.Post(this, null, ContinueReceiving);
        }
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
        {
            Owner.Buffers.Return(_buffer);
            _buffer = null;
            _start = _end = 0;
        }
    }

    private void ReportClosed()
    {
        if (IsClosed && !_isReceiving && !_isDelivering && !IsSending && !_isClosedReported)
        {
            _isClosedReported = true;
            _closing.Dispose();
            try
            {
                ReleaseStream();
            }
            catch (Exception e)
            {
                // As above: a stream that fails to close is closed all the same.
                Debug.WriteLine(e);
            }

            Closed();
        }
    }
}
