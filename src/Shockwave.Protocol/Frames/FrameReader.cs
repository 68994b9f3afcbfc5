using System.Buffers;

namespace Shockwave.Protocol;

/// <summary>
/// Frames from bytes, without a connection (RFC 6455 §5.2): append what was received, read frame after frame.
/// </summary>
/// <remarks>
/// Not thread-safe. Looks at single frames: it checks headers, masking, reserved bits and the frame's size, but knows no
/// messages, so continuation, UTF-8 and compression are the caller's. One pooled buffer holds what was appended and not read
/// yet; it grows with what arrives and is given back by <see cref="Dispose"/>.
/// </remarks>
public sealed class FrameReader : IDisposable
{
    private const int FirstBufferBytes = 4096;

    private readonly EndpointRole _role;
    private readonly int _maxPayloadBytes;
    private readonly bool _allowCompressed;
    private readonly ArrayPool<byte> _pool;
    private byte[]? _buffer;
    private int _start;
    private int _end;
    private bool _isDisposed;

    /// <summary>Creates a reader.</summary>
    /// <param name="role">Our own role: a server demands masked frames, a client unmasked ones.</param>
    /// <param name="maxPayloadBytes">1 to <see cref="Array.MaxLength"/>; default 64 KiB. A larger frame is a violation (1009).</param>
    /// <param name="allowCompressed">Whether RSV1 may be set on data frames, as after negotiating permessage-deflate.</param>
    /// <param name="pool">Lends the buffer; <see cref="ArrayPool{T}.Shared"/> when omitted.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxPayloadBytes"/> is out of range.</exception>
    public FrameReader(EndpointRole role, int maxPayloadBytes = 64 * 1024, bool allowCompressed = false, ArrayPool<byte>? pool = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPayloadBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPayloadBytes, Array.MaxLength);
        _role = role;
        _maxPayloadBytes = maxPayloadBytes;
        _allowCompressed = allowCompressed;
        _pool = pool ?? ArrayPool<byte>.Shared;
    }

    /// <summary>Gets what the peer did wrong, once a read returned <see cref="OperationStatus.InvalidData"/>. It stays.</summary>
    public ProtocolViolation? Violation { get; private set; }

    /// <summary>Gets how many bytes were appended and not read yet.</summary>
    public int BufferedBytes => _end - _start;

    /// <summary>Lends the free part of the buffer to receive into; follow with <see cref="Advance"/>.</summary>
    /// <param name="sizeHint">The least length wanted, in bytes; 0 for any.</param>
    /// <returns>At least <paramref name="sizeHint"/> bytes, never none. Valid until the next call of any member.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sizeHint"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The reader is disposed.</exception>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        MakeRoom(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_end);
    }

    /// <summary>Says how many bytes of <see cref="GetMemory"/> were filled.</summary>
    /// <param name="count">0 to the length lent.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than was lent, or negative.</exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, (_buffer?.Length ?? 0) - _end);
        _end += count;
    }

    /// <summary>Appends a copy of received bytes.</summary>
    /// <param name="bytes">Any number of bytes, cut anywhere.</param>
    /// <exception cref="ObjectDisposedException">The reader is disposed.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!bytes.IsEmpty)
        {
            MakeRoom(bytes.Length);
            bytes.CopyTo(_buffer.AsSpan(_end));
            _end += bytes.Length;
        }
    }

    /// <summary>Reads the next frame in place.</summary>
    /// <param name="header">The frame's header on <see cref="OperationStatus.Done"/>; otherwise undefined.</param>
    /// <param name="payload">The payload, unmasked, in the reader's buffer: valid until the next call of any member.</param>
    /// <returns><c>Done</c>; <c>NeedMoreData</c>; or <c>InvalidData</c> with <see cref="Violation"/> set.</returns>
    /// <exception cref="ObjectDisposedException">The reader is disposed.</exception>
    public OperationStatus ReadFrame(out FrameHeader header, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        var status = PeekFrame(out header, out var masked, out int headerLength);
        if (status == OperationStatus.Done)
        {
            if (header.IsMasked)
            {
                Masker.Mask(masked, header.MaskingKey);
            }

            payload = masked;
            _start += headerLength + masked.Length;
        }

        return status;
    }

    /// <summary>Reads the next frame into the caller's memory.</summary>
    /// <param name="destination">Receives the payload, unmasked.</param>
    /// <param name="header">
    /// The frame's header on <see cref="OperationStatus.Done"/> and <see cref="OperationStatus.DestinationTooSmall"/>; otherwise undefined.
    /// </param>
    /// <param name="bytesWritten">The payload's length on <see cref="OperationStatus.Done"/>; otherwise 0.</param>
    /// <returns>
    /// <c>Done</c>; <c>NeedMoreData</c>; <c>DestinationTooSmall</c>, and the frame can still be read into <see cref="FrameHeader.PayloadLength"/>
    /// bytes; or <c>InvalidData</c> with <see cref="Violation"/> set.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The reader is disposed.</exception>
    public OperationStatus ReadFrameInto(Span<byte> destination, out FrameHeader header, out int bytesWritten)
    {
        bytesWritten = 0;
        var status = PeekFrame(out header, out var masked, out int headerLength);
        if (status != OperationStatus.Done)
        {
            return status;
        }

        if (destination.Length < masked.Length)
        {
            return OperationStatus.DestinationTooSmall;
        }

        if (header.IsMasked)
        {
            Masker.Mask(masked, destination, header.MaskingKey);
        }
        else
        {
            Masker.Copy(masked, destination);
        }

        bytesWritten = masked.Length;
        _start += headerLength + masked.Length;
        return OperationStatus.Done;
    }

    /// <summary>Gives the buffer back. What was not read is lost. Harmless when repeated.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _start = _end = 0;
        ReturnBuffer();
    }

    private OperationStatus PeekFrame(out FrameHeader header, out Span<byte> payload, out int headerLength)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        payload = default;
        if (Violation is not null)
        {
            header = default;
            headerLength = 0;
            return OperationStatus.InvalidData;
        }

        var status = FrameCodec.DecodeHeader(_buffer.AsSpan(_start, _end - _start), out header, out headerLength, out var violation);
        if (status == OperationStatus.Done)
        {
            violation = Check(header);
            if (violation is null && header.PayloadLength > _end - _start - headerLength)
            {
                return OperationStatus.NeedMoreData;
            }
        }

        if (violation is not null)
        {
            Violation = violation;
            return OperationStatus.InvalidData;
        }

        if (status == OperationStatus.Done)
        {
            payload = _buffer.AsSpan(_start + headerLength, (int)header.PayloadLength);
        }

        return status;
    }

    private ProtocolViolation? Check(in FrameHeader header)
    {
        if (header.Rsv2 || header.Rsv3 || (header.Rsv1 && (!_allowCompressed || header.IsControl)))
        {
            return ProtocolViolation.ReservedBits;
        }

        if (header.IsMasked != (_role == EndpointRole.Server))
        {
            return header.IsMasked ? ProtocolViolation.Masked : ProtocolViolation.NotMasked;
        }

        return header.PayloadLength > _maxPayloadBytes ? ProtocolViolation.FrameTooBig : null;
    }

    private void MakeRoom(int count)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_buffer is not null && _buffer.Length - _end >= count)
        {
            return;
        }

        int kept = _end - _start;
        if (_buffer is not null && _buffer.Length - kept >= count && _start >= kept)
        {
            _buffer.AsSpan(_start, kept).CopyTo(_buffer);
        }
        else
        {
            byte[] larger = _pool.Rent(Math.Max(FirstBufferBytes, checked(kept + Math.Max(kept, count))));
            _buffer.AsSpan(_start, kept).CopyTo(larger);
            ReturnBuffer();
            _buffer = larger;
        }

        _start = 0;
        _end = kept;
    }

    private void ReturnBuffer()
    {
        if (_buffer is not null)
        {
            _pool.Return(_buffer);
            _buffer = null;
        }
    }
}
