using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

public sealed partial class WebSocketConnection
{
    // From this size on a received message is sent back without a copy.
    private const int InPlaceBytes = 2048;

    // Above this size a posted payload is handed to the transport as it is, without a copy into the shared segment.
    private const int HandOverBytes = 4096;

    private ConnectionCompression? _compression;
    private long _postedBytes;
    private bool _isSendingClosed;
    private bool _isDrainDue;

    /// <summary>Sends a message. Never waits and, on the owner, never allocates.</summary>
    /// <param name="payload">The whole message; copied. Text must be valid UTF-8: the peer fails the connection otherwise.</param>
    /// <param name="type"><see cref="MessageType.Text"/> or <see cref="MessageType.Binary"/>.</param>
    /// <returns>What became of it. <see cref="SendResult.Accepted"/> means buffered here, not received there.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="type"/> is another value.</exception>
    public SendResult WriteMessage(ReadOnlySpan<byte> payload, MessageType type)
    {
        CheckType(type);
        return Owner.IsCurrent ? WriteOnOwner(payload, type) : PostMessage(payload, type);
    }

    /// <summary>Sends a message when there is room for it: waits while more than the high watermark is buffered.</summary>
    /// <param name="payload">The whole message. It must not change until the task completes. Text must be valid UTF-8.</param>
    /// <param name="type"><see cref="MessageType.Text"/> or <see cref="MessageType.Binary"/>.</param>
    /// <param name="cancellationToken">Ends the wait. Once the message is accepted it has no effect: a frame is never cut in half.</param>
    /// <returns>What became of it, once that is known.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="type"/> is another value.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the message was accepted; it will not be sent.</exception>
    /// <remarks>Writes that wait are accepted in the order of their calls.</remarks>
    public ValueTask<SendResult> WriteMessageAsync(ReadOnlyMemory<byte> payload, MessageType type, CancellationToken cancellationToken = default)
    {
        CheckType(type);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<SendResult>(cancellationToken);
        }

        if (Volatile.Read(ref _extras) is not { HasQueuedWrites: true } && BufferedBytes <= _settings.HighWatermarkBytes)
        {
            if (!IsOpen)
            {
                return new(SendResult.Closed);
            }

            if (!Owner.IsCurrent)
            {
                if (TryPostMessage(payload.Span, type) is { } result)
                {
                    return new(result);
                }
            }
            else if (HasRoom(payload.Length))
            {
                return new(WriteWithRoom(payload.Span, type));
            }
        }

        var write = new QueuedWrite(payload, type, cancellationToken);
        Interlocked.Increment(ref Extras.QueuedWriteCount);
        Owner.Post(this, write, (long)Posted.QueueWrite);
        return new(write.Task);
    }

    void ITransportHandler.OnDrained()
    {
        AcceptQueuedWrites();
        SendHeldPong();

        if (_isDrainDue && BufferedBytes == 0)
        {
            _isDrainDue = false;
            try
            {
                _dispatcher.Drain(this);
            }
            catch (Exception e)
            {
                FailHandler(e);
            }

            CleanContext.Restore();
        }
    }

    /// <summary>How much of a connection, and of its transport, it takes to write to it.</summary>
    internal const int WrittenBytes = 192;

    /// <summary>Asks the processor for what writing will touch beside the connection itself.</summary>
    internal void PrefetchTransport() => Prefetcher.Load(_transport, WrittenBytes);

    /// <summary>Sends messages of one topic that are framed already, or frames them here where this connection needs frames of its own. On the owner.</summary>
    /// <param name="publications">The messages.</param>
    /// <param name="frames">All of their frames.</param>
    /// <param name="sentBytes">How many bytes of the frames the socket has taken already.</param>
    /// <param name="isAlone">Whether nothing of another topic is to leave together with them.</param>
    internal void WritePublications(ReadOnlySpan<Publication> publications, ReadOnlySpan<byte> frames, int sentBytes, bool isAlone)
    {
        try
        {
            if (sentBytes > 0 || (isAlone && HasRoomFor(publications, frames)))
            {
                _transport.WriteShared(frames[sentBytes..]);
                _shard.BytesSent += frames.Length;
                _shard.MessagesSent += publications.Length - 1;
                Sent();
                return;
            }

            foreach (var publication in publications)
            {
                WritePublication(publication);
            }
        }
        catch (Exception e)
        {
            // The other subscribers still get it.
            FailUnexpectedly(e);
        }
    }

    // Together they need the room that all of them take; one alone may be larger than the limit.
    private bool HasRoomFor(ReadOnlySpan<Publication> publications, ReadOnlySpan<byte> frames) =>
        _role == EndpointRole.Server && _compression is null && CanSend
        && (publications.Length == 1 ? HasRoom(frames.Length) : BufferedBytes + frames.Length <= _settings.MaxBufferedBytes);

    private void WritePublication(Publication publication)
    {
        if (_role == EndpointRole.Client || _compression is not null)
        {
            WriteOnOwner(publication.Payload, publication.Type);
        }
        else if (CheckRoom(publication.Frame.Length) is null)
        {
            Masker.Copy(publication.Frame, _transport.GetSpan(publication.Frame.Length));
            _transport.Commit(publication.Frame.Length);
            _shard.BytesSent += publication.Frame.Length;
            Sent();
        }
    }

    private bool CanSend => _close.MaySendData && !_transport.IsClosed;

    private static void CheckType(MessageType type)
    {
        if (type is not (MessageType.Text or MessageType.Binary))
        {
            ThrowType(type);
        }

        [DoesNotReturn]
        static void ThrowType(MessageType type) =>
            throw new ArgumentOutOfRangeException(nameof(type), type, "A message is Text or Binary; call Close to close the connection.");
    }

    private SendResult WriteOnOwner(ReadOnlySpan<byte> payload, MessageType type)
    {
        if (!CanSend)
        {
            return SendResult.Closed;
        }

        return HasRoom(payload.Length) ? WriteOpen(payload, type) : Overflow();
    }

    private SendResult WriteWithRoom(ReadOnlySpan<byte> payload, MessageType type) => CanSend ? WriteOpen(payload, type) : SendResult.Closed;

    private SendResult WriteOpen(ReadOnlySpan<byte> payload, MessageType type)
    {
        var opcode = (Opcode)type;
        if (_compression is not null && payload.Length >= _settings.CompressionThresholdBytes)
        {
            WriteFrame(opcode, _compression.Compress(payload), isCompressed: true);
        }
        else
        {
            WriteFrame(opcode, payload, isCompressed: false);
        }

        return Sent();
    }

    // Null when there is room; otherwise what to tell the sender.
    private SendResult? CheckRoom(int length) => !CanSend ? SendResult.Closed : HasRoom(length) ? null : Overflow();

    private SendResult Overflow()
    {
        _shard.MessagesDropped++;
        if (_settings.Overflow == OverflowPolicy.CloseConnection)
        {
            BeginClose(CloseCode.TryAgainLater, "too much buffered", cause: null);
        }

        return SendResult.Dropped;
    }

    // What was posted has its room already, or it would be accepted and lost.
    private bool HasRoom(int length) => BufferedBytes is var buffered && (buffered == 0 || buffered + length <= _settings.MaxBufferedBytes);

    private SendResult Sent()
    {
        _shard.MessagesSent++;
        if (_transport.UnsentBytes <= _settings.HighWatermarkBytes)
        {
            return SendResult.Accepted;
        }

        _isDrainDue = true;
        UpdateDeadline();
        return SendResult.Backpressure;
    }

    private void WriteFrame(Opcode opcode, ReadOnlySpan<byte> payload, bool isCompressed)
    {
        if (payload.Length >= InPlaceBytes && !isCompressed && _role == EndpointRole.Server && TryWriteInPlace(opcode, payload))
        {
            return;
        }

        var free = _transport.GetSpan(FrameCodec.MaxHeaderBytes + payload.Length);
        int headerLength;
        if (_role == EndpointRole.Server)
        {
            headerLength = FrameCodec.EncodeMessageHeader(free, opcode, payload.Length, isCompressed);
            Masker.Copy(payload, free[headerLength..]);
        }
        else
        {
            uint key = MaskingKeys.Next();
            headerLength = FrameCodec.EncodeHeader(free, new FrameHeader(opcode, payload.Length, key, isFinal: true, isCompressed));
            Masker.Mask(payload, free[headerLength..], key);
        }

        _transport.Commit(headerLength + payload.Length);
        _shard.BytesSent += headerLength + payload.Length;
    }

    // A message that was just received, and goes back as it is, is sent from where it lies: a collected one from its buffer, which the
    // transport takes over, and another from the receive buffer, framed in place of its own header, which was longer and is read.
    private bool TryWriteInPlace(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        if (_reader is null)
        {
            return false;
        }

        int headerLength = FrameCodec.GetHeaderLength(payload.Length, isMasked: false);
        if (_reader.TryDetachMessage(payload, out byte[]? buffer))
        {
            FrameCodec.EncodeMessageHeader(_transport.GetSpan(headerLength), opcode, payload.Length);
            _transport.Commit(headerLength);
            _transport.Write(buffer!, 0, payload.Length);
        }
        else if (AddressOf(payload) == _shard.DeliveredPayload && _transport.TryBorrow(payload, headerLength, out var frame))
        {
            // Once: the header of a second frame would lie where the first one's does.
            _shard.DeliveredPayload = 0;
            FrameCodec.EncodeMessageHeader(frame, opcode, payload.Length);
            _transport.WriteBorrowed(frame);
        }
        else
        {
            return false;
        }

        _shard.BytesSent += headerLength + payload.Length;
        return true;
    }

    // To be compared only: what it points to may move.
    private static unsafe nint AddressOf(ReadOnlySpan<byte> payload) => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(payload));

    private SendResult PostMessage(ReadOnlySpan<byte> payload, MessageType type)
    {
        if (!IsOpen)
        {
            return SendResult.Closed;
        }

        if (TryPostMessage(payload, type) is { } result)
        {
            return result;
        }

        Interlocked.Increment(ref _shard.MessagesDroppedOffOwner);
        if (_settings.Overflow == OverflowPolicy.CloseConnection)
        {
            Close(CloseCode.TryAgainLater, "too much buffered");
        }

        return SendResult.Dropped;
    }

    // Null when there is no room. Looked for and taken in one step, so that threads that write at once cannot all have the last of it.
    private SendResult? TryPostMessage(ReadOnlySpan<byte> payload, MessageType type)
    {
        int cost = PostedCost(payload.Length);
        long posted, total;
        do
        {
            posted = Volatile.Read(ref _postedBytes);
            long buffered = posted + _transport.UnsentBytes;
            total = buffered + cost;
            if (buffered > 0 && total > _settings.MaxBufferedBytes)
            {
                return null;
            }
        }
        while (Interlocked.CompareExchange(ref _postedBytes, posted + cost, posted) != posted);

        // Room for the longest header in front, so that the owner can frame it where it lies.
        byte[] buffer = BufferPool.Shared.Rent(FrameCodec.MaxHeaderBytes + payload.Length);
        payload.CopyTo(buffer.AsSpan(FrameCodec.MaxHeaderBytes));
        Owner.Post(this, buffer, ((long)payload.Length << 16) | ((long)type << 8) | (long)Posted.Write);
        return total > _settings.HighWatermarkBytes ? SendResult.Backpressure : SendResult.Accepted;
    }

    // With the header, so that a flood of empty messages is bounded too.
    private static int PostedCost(int length) => FrameCodec.MaxHeaderBytes + length;

    private void WritePosted(byte[] buffer, long argument)
    {
        int length = (int)(argument >> 16);
        var type = (MessageType)(byte)(argument >> 8);
        Interlocked.Add(ref _postedBytes, -PostedCost(length));
        var payload = buffer.AsSpan(FrameCodec.MaxHeaderBytes, length);
        if (length < HandOverBytes || _role == EndpointRole.Client || _compression is not null)
        {
            WriteWithRoom(payload, type);
            BufferPool.Shared.Return(buffer);
            return;
        }

        if (!CanSend)
        {
            BufferPool.Shared.Return(buffer);
            return;
        }

        int headerLength = FrameCodec.GetHeaderLength(length, isMasked: false);
        int start = FrameCodec.MaxHeaderBytes - headerLength;
        FrameCodec.EncodeMessageHeader(buffer.AsSpan(start), (Opcode)type, length);
        _transport.Write(buffer, start, headerLength + length);
        _shard.BytesSent += headerLength + length;
        Sent();
    }

    private void EnqueueWrite(QueuedWrite write)
    {
        (Extras.QueuedWrites ??= new()).Enqueue(write);
        AcceptQueuedWrites();
    }

    private void AcceptQueuedWrites()
    {
        if (_extras?.QueuedWrites is not { } queue)
        {
            return;
        }

        while (queue.TryPeek(out var write))
        {
            bool mustWait = CanSend && (_transport.UnsentBytes > _settings.HighWatermarkBytes || !HasRoom(write.Payload.Length));
            if (mustWait && !write.IsCancelled)
            {
                return;
            }

            queue.Dequeue();
            Interlocked.Decrement(ref _extras.QueuedWriteCount);
            if (write.TryAccept())
            {
                Write(write);
            }
        }
    }

    private void Write(QueuedWrite write)
    {
        SendResult result;
        try
        {
            result = WriteWithRoom(write.Payload.Span, write.Type);
        }
        catch (Exception e)
        {
            // The caller's memory may be gone by now: that is the caller's to hear, and nothing of it was sent.
            write.SetException(e);
            return;
        }

        write.SetResult(result);
    }
}
