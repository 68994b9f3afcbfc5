using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shockwave.Protocol;

/// <summary>What <see cref="MessageReader.Read"/> found.</summary>
internal enum MessageEvent : byte
{
    /// <summary>All bytes are consumed; the next event needs more.</summary>
    None,

    /// <summary>A whole message: <see cref="MessageReader.IsText"/> says of which type.</summary>
    Message,

    /// <summary>A ping, to be answered with the same payload.</summary>
    Ping,

    /// <summary>A pong.</summary>
    Pong,

    /// <summary>A Close frame; its payload is not looked at yet.</summary>
    Close,

    /// <summary>The peer violated the protocol: <see cref="MessageReader.Violation"/>. Nothing more may be read.</summary>
    Violation,
}

/// <summary>
/// The receiving half of a connection without I/O: bytes in, whole messages and control frames out (RFC 6455 §5 and §6.2).
/// </summary>
/// <remarks>
/// Not thread-safe. The caller passes what it received to <see cref="Read"/> until nothing is left of it, and calls
/// <see cref="ReleaseMessage"/> after each event. Received bytes are unmasked in place: a message that lies in them as one frame is
/// handed out without a copy. Everything else is collected in one pooled buffer, which grows with what arrives and never with what a
/// header declares, and which the reader owns until the message is released or detached. Between messages the reader holds no buffer.
/// The verdict on a stream does not depend on how its bytes are cut into chunks.
/// </remarks>
internal sealed class MessageReader : IDisposable
{
    // The first buffer of a message that does not arrive whole. Small, so that many half-sent messages cost little.
    private const int FirstBufferBytes = 4096;

    // Less than this is not worth a second place to receive to.
    private const int MinWindowBytes = 2048;

    // The first byte of a message of one frame: FIN and the opcode.
    private const byte FinalText = 0x80 | (byte)Opcode.Text;
    private const byte FinalBinary = 0x80 | (byte)Opcode.Binary;

    // RFC 7692 bombs: the inflated size is checked after each step, so at most one step is inflated in vain.
    private const int InflateStepBytes = 16 * 1024;

    private readonly ArrayPool<byte> _pool;
    private readonly InflaterSource _inflaters;
    private MessageLimits _limits;
    private EndpointRole _role;

    private PartialHeader _partialHeader;
    private byte _partialHeaderLength;

    private Phase _phase;
    private bool _isInMessage;
    private bool _isText;
    private bool _isCompressed;
    private Utf8Validator _utf8;
    private int _fragmentCount;
    private long _wireBytes;
    private FrameHeader _frame;
    private long _framePosition;
    private byte[]? _buffer;
    private int _bufferedBytes;
    private byte[]? _controlBuffer;
    private MessageInflater? _inflater;

    /// <summary>Creates a reader.</summary>
    /// <param name="role">Our own role: a server demands masked frames, a client unmasked ones.</param>
    /// <param name="limits">What the peer may send at most.</param>
    /// <param name="pool">Lends the buffers; used only during calls.</param>
    /// <param name="inflaters">Where inflaters come from when permessage-deflate was negotiated; otherwise nothing.</param>
    public MessageReader(EndpointRole role, in MessageLimits limits, ArrayPool<byte> pool, InflaterSource inflaters = default)
    {
        _role = role;
        _limits = limits;
        _pool = pool;
        _inflaters = inflaters;
    }

    private enum Phase : byte
    {
        Header,
        Payload,
        MessageHandedOut,
        Failed,
    }

    /// <summary>Gets whether the message handed out last is text. Its payload is then valid UTF-8.</summary>
    public bool IsText => _isText;

    /// <summary>Gets what the peer did wrong, once <see cref="MessageEvent.Violation"/> was returned.</summary>
    public ProtocolViolation? Violation { get; private set; }

    /// <summary>Gets whether a message has begun and not ended: what its deadline is about.</summary>
    public bool IsMidMessage => _isInMessage || _phase == Phase.Payload || _partialHeaderLength != 0;

    /// <summary>Lets another connection use this reader. Only between messages, and without compression: nothing of the last one is left.</summary>
    /// <param name="role">As for the constructor.</param>
    /// <param name="limits">As for the constructor.</param>
    public void Reuse(EndpointRole role, in MessageLimits limits)
    {
        Debug.Assert(_phase == Phase.Header && !IsMidMessage && !_inflaters.IsEnabled, "A reader changes hands between messages.");
        _role = role;
        _limits = limits;
    }

    /// <summary>Reads the next event from the bytes received.</summary>
    /// <param name="source">The bytes received and not consumed yet. They are unmasked in place.</param>
    /// <param name="bytesConsumed">How many of them the caller must not pass again.</param>
    /// <param name="payload">
    /// The event's payload, inside <paramref name="source"/> or the reader's own buffer: valid until the next call of any member.
    /// </param>
    /// <returns>The event, or <see cref="MessageEvent.None"/> with everything consumed.</returns>
    public MessageEvent Read(Span<byte> source, out int bytesConsumed, out Span<byte> payload)
    {
        ReleaseMessage();
        return IsBetweenMessages && TryReadWholeMessage(source, out bytesConsumed, out payload, out var result)
            ? result
            : ReadPieces(source, out bytesConsumed, out payload);
    }

    // Whatever is there, step by step.
    private MessageEvent ReadPieces(Span<byte> source, out int bytesConsumed, out Span<byte> payload)
    {
        payload = default;
        int position = 0;
        while (true)
        {
            switch (_phase)
            {
                case Phase.Failed:
                    bytesConsumed = source.Length;
                    return MessageEvent.Violation;

                case Phase.Header:
                    if (!ReadHeader(source, ref position))
                    {
                        bytesConsumed = position;
                        return _phase == Phase.Failed ? MessageEvent.Violation : MessageEvent.None;
                    }

                    break;

                case Phase.Payload when position == source.Length && _framePosition < _frame.PayloadLength:
                    bytesConsumed = position;
                    return MessageEvent.None;

                default:
                    var result = _frame.IsControl
                        ? ReadControlPayload(source, ref position, out payload)
                        : ReadDataPayload(source, ref position, out payload);
                    if (result != MessageEvent.None)
                    {
                        bytesConsumed = position;
                        return result;
                    }

                    break;
            }
        }
    }

    /// <summary>Gets where what is missing of a frame may be received to directly, instead of being copied there by <see cref="Read"/>.</summary>
    /// <returns>Room for at most the rest of the frame; empty where reading the usual way is as good. Follow with <see cref="ReadWindow"/>.</returns>
    public Span<byte> GetWindow()
    {
        if (_phase != Phase.Payload || _frame.IsControl || _isCompressed)
        {
            return default;
        }

        long missing = _frame.PayloadLength - _framePosition;
        if (missing < MinWindowBytes)
        {
            return default;
        }

        // As much again as has arrived, never more because a header says so.
        int expected = (int)Math.Min(missing, Math.Max(_bufferedBytes, FirstBufferBytes));
        Grow(_bufferedBytes + expected);
        int free = _buffer!.Length - _bufferedBytes;
        return _buffer.AsSpan(_bufferedBytes, (int)Math.Min(missing, free));
    }

    /// <summary>Reads the bytes that were received into the window.</summary>
    /// <param name="count">How many; at most the window's length.</param>
    /// <param name="payload">As for <see cref="Read"/>.</param>
    /// <returns>As <see cref="Read"/>.</returns>
    public MessageEvent ReadWindow(int count, out Span<byte> payload)
    {
        payload = default;
        var bytes = _buffer.AsSpan(_bufferedBytes, count);
        Unmask(bytes);
        _framePosition += count;
        _bufferedBytes += count;
        if (_isText && !_utf8.Append(bytes))
        {
            Fail(ProtocolViolation.InvalidText);
            return MessageEvent.Violation;
        }

        return _framePosition == _frame.PayloadLength ? EndDataFrame(ref payload) : MessageEvent.None;
    }

    /// <summary>Gives back what the last message or control frame occupied. Harmless when there is nothing.</summary>
    public void ReleaseMessage()
    {
        if (_phase == Phase.MessageHandedOut)
        {
            ReturnBuffer();
            _phase = Phase.Header;
        }
        else if (_phase == Phase.Header)
        {
            // Not the other buffer: a control frame may stand between fragments, and these are not handed out yet.
            ReturnControlBuffer();
        }
    }

    /// <summary>Hands the buffer of the last message over to the caller, if the message lies in one from the reader's pool.</summary>
    /// <param name="buffer">The buffer, with the payload at its start; the caller returns it to the pool.</param>
    /// <returns><see langword="false"/> when the payload lies in the bytes received and must be copied to be kept.</returns>
    public bool TryDetachMessage(out byte[]? buffer)
    {
        buffer = _phase == Phase.MessageHandedOut ? _buffer : null;
        if (buffer is null)
        {
            return false;
        }

        _buffer = null;
        _bufferedBytes = 0;
        return true;
    }

    /// <summary>As <see cref="TryDetachMessage(out byte[])"/>, if the payload given is the whole of that message.</summary>
    public bool TryDetachMessage(ReadOnlySpan<byte> payload, out byte[]? buffer)
    {
        buffer = null;
        return _phase == Phase.MessageHandedOut
            && _buffer is not null
            && payload.Length == _bufferedBytes
            && Unsafe.AreSame(ref MemoryMarshal.GetReference(payload), ref _buffer[0])
            && TryDetachMessage(out buffer);
    }

    /// <summary>Gives every buffer and the inflater back. The reader must not be used afterwards.</summary>
    public void Dispose()
    {
        _phase = Phase.Failed;
        ReturnBuffer();
        ReturnControlBuffer();
        ReturnInflater();
    }

    private bool IsBetweenMessages => _phase == Phase.Header && !_isInMessage && _partialHeaderLength == 0;

    // Most messages of most connections: one frame that is all there, not compressed, legal up to its payload, and with a length of 7 or 16
    // bits. False for everything else, and nothing has happened then.
    private bool TryReadWholeMessage(Span<byte> source, out int bytesConsumed, out Span<byte> payload, out MessageEvent result)
    {
        bytesConsumed = 0;
        payload = default;
        result = default;
        if (source.Length < 2 || source[0] is not (FinalText or FinalBinary))
        {
            return false;
        }

        bool isMasked = _role == EndpointRole.Server;
        int start = isMasked ? 6 : 2;
        int length = source[1] - (isMasked ? 0x80 : 0);
        if (length == 126 && source.Length >= 4)
        {
            length = BinaryPrimitives.ReadUInt16BigEndian(source[2..]);
            start += 2;
            if (length < 126)
            {
                return false;
            }
        }
        else if ((uint)length > 125)
        {
            return false;
        }

        if (length > source.Length - start || length > _limits.MaxFrameBytes || length > _limits.MaxMessageBytes || _limits.MaxFragmentsPerMessage == 0)
        {
            return false;
        }

        bytesConsumed = start + length;
        payload = source.Slice(start, length);
        if (isMasked)
        {
            Masker.Mask(payload, MemoryMarshal.Read<uint>(source[(start - 4)..]));
        }

        _isText = source[0] == FinalText;
        _isCompressed = false;
        if (_isText && !IsUtf8(payload))
        {
            payload = default;
            result = MessageEvent.Violation;
            Fail(ProtocolViolation.InvalidText);
            return true;
        }

        _phase = Phase.MessageHandedOut;
        result = MessageEvent.Message;
        return true;
    }

    private bool IsUtf8(ReadOnlySpan<byte> text)
    {
        _utf8.Reset();
        return _utf8.Append(text) && _utf8.IsComplete;
    }

    // Reads a header that may come in pieces: those are kept here, so that the caller never has to.
    private bool ReadHeader(Span<byte> source, scoped ref int position)
    {
        OperationStatus status;
        FrameHeader header;
        ProtocolViolation? violation;
        if (_partialHeaderLength == 0)
        {
            status = FrameCodec.DecodeHeader(source[position..], out header, out int headerLength, out violation);
            position += headerLength;
        }
        else
        {
            int kept = _partialHeaderLength;
            int taken = Math.Min(FrameCodec.MaxHeaderBytes - kept, source.Length - position);
            Span<byte> bytes = _partialHeader;
            source.Slice(position, taken).CopyTo(bytes[kept..]);
            status = FrameCodec.DecodeHeader(bytes[..(kept + taken)], out header, out int headerLength, out violation);
            if (status == OperationStatus.Done)
            {
                position += headerLength - kept;
                _partialHeaderLength = 0;
            }
        }

        switch (status)
        {
            case OperationStatus.Done:
                violation = BeginFrame(header);
                return violation is null || Fail(violation);

            case OperationStatus.InvalidData:
                return Fail(violation!);

            default:
                var rest = source[position..];
                rest.CopyTo(((Span<byte>)_partialHeader)[_partialHeaderLength..]);
                _partialHeaderLength += (byte)rest.Length;
                position = source.Length;
                return false;
        }
    }

    private ProtocolViolation? BeginFrame(in FrameHeader header)
    {
        if (header.Rsv2 || header.Rsv3)
        {
            return ProtocolViolation.ReservedBits;
        }

        // RFC 7692 §6: RSV1 marks the first frame of a compressed message, no other frame.
        if (header.Rsv1 && (!_inflaters.IsEnabled || header.IsControl || header.Opcode == Opcode.Continuation))
        {
            return ProtocolViolation.ReservedBits;
        }

        if (header.IsMasked != (_role == EndpointRole.Server))
        {
            return header.IsMasked ? ProtocolViolation.Masked : ProtocolViolation.NotMasked;
        }

        if (!header.IsControl && BeginDataFrame(header) is { } violation)
        {
            return violation;
        }

        _frame = header;
        _framePosition = 0;
        _phase = Phase.Payload;
        return null;
    }

    private ProtocolViolation? BeginDataFrame(in FrameHeader header)
    {
        bool isContinuation = header.Opcode == Opcode.Continuation;
        if (isContinuation != _isInMessage)
        {
            return isContinuation ? ProtocolViolation.UnexpectedContinuation : ProtocolViolation.ExpectedContinuation;
        }

        bool isCompressed = isContinuation ? _isCompressed : header.Rsv1;
        if (header.PayloadLength > OnTheWire(_limits.MaxFrameBytes, isCompressed && _limits.MaxFrameBytes >= _limits.MaxMessageBytes))
        {
            return ProtocolViolation.FrameTooBig;
        }

        if (!isContinuation)
        {
            _isText = header.Opcode == Opcode.Text;
            _isCompressed = isCompressed;
            _utf8.Reset();
            _fragmentCount = 0;
            _wireBytes = 0;
        }

        // Compressed or not, what arrives on the wire counts as well: a limit of one alone could be evaded.
        _wireBytes += header.PayloadLength;
        if (_wireBytes > OnTheWire(_limits.MaxMessageBytes, isCompressed))
        {
            return ProtocolViolation.MessageTooBig;
        }

        if (++_fragmentCount > _limits.MaxFragmentsPerMessage)
        {
            return ProtocolViolation.TooManyFragments;
        }

        _isInMessage = true;
        return null;
    }

    // What does not compress becomes longer: by 5 octets for each stored block (RFC 1951 §3.2.4), or up to 9 bits for 8 (§3.2.6).
    // A browser compresses all it sends, so without this a random message as large as allowed would be refused.
    private static long OnTheWire(int limit, bool isCompressed) => isCompressed ? limit + (limit / 8L) + 1024 : limit;

    private MessageEvent ReadControlPayload(Span<byte> source, scoped ref int position, out Span<byte> payload)
    {
        int length = (int)_frame.PayloadLength;
        int available = Math.Min(length - (int)_framePosition, source.Length - position);
        var bytes = source.Slice(position, available);
        Unmask(bytes);
        position += available;
        if (available == length)
        {
            payload = bytes;
            return EndControlFrame();
        }

        // The frame is cut: at most 125 bytes are kept until the rest of it is here.
        _controlBuffer ??= _pool.Rent(FrameCodec.MaxControlPayloadBytes);
        bytes.CopyTo(_controlBuffer.AsSpan((int)_framePosition));
        _framePosition += available;
        if (_framePosition < length)
        {
            payload = default;
            return MessageEvent.None;
        }

        payload = _controlBuffer.AsSpan(0, length);
        return EndControlFrame();
    }

    private MessageEvent EndControlFrame()
    {
        _phase = Phase.Header;
        return _frame.Opcode switch
        {
            Opcode.Ping => MessageEvent.Ping,
            Opcode.Pong => MessageEvent.Pong,
            _ => MessageEvent.Close,
        };
    }

    private MessageEvent ReadDataPayload(Span<byte> source, scoped ref int position, out Span<byte> payload)
    {
        payload = default;
        int available = (int)Math.Min(_frame.PayloadLength - _framePosition, source.Length - position);
        var bytes = source.Slice(position, available);
        position += available;
        bool endsFrame = _framePosition + available == _frame.PayloadLength;
        bool endsMessage = endsFrame && _frame.IsFinal;

        if (_isCompressed)
        {
            Unmask(bytes);
            _framePosition += available;
            if (Inflate(bytes, endsMessage) is { } violation)
            {
                Fail(violation);
                return MessageEvent.Violation;
            }
        }
        else if (endsMessage && _bufferedBytes == 0)
        {
            // The common case: the whole message lies in what was received, and nobody copies it.
            Unmask(bytes);
            if (_isText && !_utf8.Append(bytes))
            {
                Fail(ProtocolViolation.InvalidText);
                return MessageEvent.Violation;
            }

            payload = bytes;
        }
        else if (!bytes.IsEmpty && !Collect(bytes))
        {
            return MessageEvent.Violation;
        }

        return endsFrame ? EndDataFrame(ref payload) : MessageEvent.None;
    }

    private MessageEvent EndDataFrame(ref Span<byte> payload)
    {
        _phase = Phase.Header;
        return _frame.IsFinal ? EndMessage(ref payload) : MessageEvent.None;
    }

    private MessageEvent EndMessage(ref Span<byte> payload)
    {
        _isInMessage = false;
        ReturnInflater();
        if (_isText && !_utf8.IsComplete)
        {
            Fail(ProtocolViolation.InvalidText);
            return MessageEvent.Violation;
        }

        if (_bufferedBytes != 0)
        {
            payload = _buffer.AsSpan(0, _bufferedBytes);
        }

        _phase = Phase.MessageHandedOut;
        return MessageEvent.Message;
    }

    private bool Collect(Span<byte> bytes)
    {
        // Room for the rest of the frame as well, if no more of it is missing than has arrived.
        int needed = _bufferedBytes + bytes.Length;
        long missing = _frame.PayloadLength - _framePosition - bytes.Length;
        Grow(missing <= needed ? needed + (int)missing : needed);
        var destination = _buffer.AsSpan(_bufferedBytes, bytes.Length);
        if (_frame.IsMasked)
        {
            Masker.Mask(bytes, destination, _frame.MaskingKey, (int)_framePosition & 3);
        }
        else
        {
            Masker.Copy(bytes, destination);
        }

        _framePosition += bytes.Length;
        _bufferedBytes += bytes.Length;
        return !_isText || _utf8.Append(destination) || Fail(ProtocolViolation.InvalidText);
    }

    private ProtocolViolation? Inflate(ReadOnlySpan<byte> bytes, bool endsMessage)
    {
        _inflater ??= _inflaters.Rent();
        Span<byte> aroundLimit = stackalloc byte[2];
        while (true)
        {
            // The last octet that fits and the first that does not are inflated in one step. Between two steps an inflater may look
            // ahead and find the data corrupt, and whether it does depends on the chunks; which of the two faults comes first must not.
            int room = _limits.MaxMessageBytes - _bufferedBytes;
            var destination = aroundLimit[..Math.Min(room + 1, 2)];
            if (room > 1)
            {
                Grow(_bufferedBytes + 1);
                int free = Math.Min(_buffer!.Length, _limits.MaxMessageBytes - 1) - _bufferedBytes;
                destination = _buffer.AsSpan(_bufferedBytes, Math.Min(free, InflateStepBytes));
            }

            var status = _inflater.Inflate(bytes, destination, endsMessage, out int consumed, out int written);
            if (_isText && !_utf8.Append(destination[..Math.Min(written, room)]))
            {
                return ProtocolViolation.InvalidText;
            }

            if (written > room)
            {
                return ProtocolViolation.MessageTooBig;
            }

            if (status == OperationStatus.InvalidData)
            {
                return ProtocolViolation.InvalidCompressedData;
            }

            if (room <= 1 && written != 0)
            {
                Grow(_limits.MaxMessageBytes);
                _buffer![_bufferedBytes] = aroundLimit[0];
            }

            _bufferedBytes += written;
            if (status != OperationStatus.DestinationTooSmall)
            {
                return null;
            }

            bytes = bytes[consumed..];
        }
    }

    private void Unmask(Span<byte> bytes)
    {
        if (_frame.IsMasked)
        {
            Masker.Mask(bytes, _frame.MaskingKey, (int)_framePosition & 3);
        }
    }

    // Doubles, so that a message of n bytes is copied fewer than two times, however it is cut.
    private void Grow(int needed)
    {
        if (_buffer is not null && _buffer.Length >= needed)
        {
            return;
        }

        int doubled = (int)Math.Min(2L * (_buffer?.Length ?? FirstBufferBytes / 2), _limits.MaxMessageBytes);
        byte[] larger = _pool.Rent(Math.Max(needed, doubled));
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, _bufferedBytes).CopyTo(larger);
            _pool.Return(_buffer);
        }

        _buffer = larger;
    }

    // Returns false, so that a caller can say `return Fail(...)`.
    private bool Fail(ProtocolViolation violation)
    {
        Debug.Assert(Violation is null, "A reader fails once.");
        Violation = violation;
        _phase = Phase.Failed;
        _isInMessage = false;
        ReturnBuffer();
        ReturnInflater();
        return false;
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
        {
            _pool.Return(_buffer);
            _buffer = null;
        }

        _bufferedBytes = 0;
    }

    private void ReturnControlBuffer()
    {
        if (_controlBuffer is not null)
        {
            _pool.Return(_controlBuffer);
            _controlBuffer = null;
        }
    }

    private void ReturnInflater()
    {
        if (_inflater is not null)
        {
            _inflaters.Return(_inflater);
            _inflater = null;
        }
    }

    [InlineArray(FrameCodec.MaxHeaderBytes)]
    private struct PartialHeader
    {
        private byte _first;
    }
}
