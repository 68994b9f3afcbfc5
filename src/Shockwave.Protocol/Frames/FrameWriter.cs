using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Shockwave.Protocol;

/// <summary>Frames to bytes, without a connection (RFC 6455 §5.2): write frames, take the bytes.</summary>
/// <remarks>
/// Not thread-safe. One pooled buffer collects the frames until <see cref="Clear"/>; it is given back by <see cref="Dispose"/>.
/// A client masks each frame with a fresh key from the source that it was given (RFC 6455 §5.3: unpredictable).
/// </remarks>
public sealed class FrameWriter : IDisposable
{
    private const int FirstBufferBytes = 4096;

    private readonly Func<uint>? _maskingKeys;
    private readonly ArrayPool<byte> _pool;
    private byte[]? _buffer;
    private int _length;
    private bool _isDisposed;

    /// <summary>Creates a writer for a server, which does not mask.</summary>
    /// <param name="pool">Lends the buffer; <see cref="ArrayPool{T}.Shared"/> when omitted.</param>
    public FrameWriter(ArrayPool<byte>? pool = null) => _pool = pool ?? ArrayPool<byte>.Shared;

    /// <summary>Creates a writer for a client, which masks.</summary>
    /// <param name="maskingKeys">Returns a new unpredictable key at each call; called once for each frame.</param>
    /// <param name="pool">Lends the buffer; <see cref="ArrayPool{T}.Shared"/> when omitted.</param>
    public FrameWriter(Func<uint> maskingKeys, ArrayPool<byte>? pool = null)
        : this(pool)
    {
        ArgumentNullException.ThrowIfNull(maskingKeys);
        _maskingKeys = maskingKeys;
    }

    /// <summary>Gets the bytes of all frames written since <see cref="Clear"/>: valid until the next call of any member.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Writes one frame.</summary>
    /// <param name="opcode">The opcode.</param>
    /// <param name="payload">Copied. At most 125 bytes for a control frame.</param>
    /// <param name="isFinal">Whether the frame ends its message.</param>
    /// <param name="isCompressed">Whether to set RSV1; the payload is then already compressed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A control frame that is fragmented or over 125 bytes (RFC 6455 §5.5).</exception>
    /// <exception cref="ObjectDisposedException">The writer is disposed.</exception>
    public void WriteFrame(Opcode opcode, ReadOnlySpan<byte> payload, bool isFinal = true, bool isCompressed = false)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var free = MakeRoom(FrameCodec.MaxHeaderBytes + payload.Length);
        if (_maskingKeys is null)
        {
            int headerLength = FrameCodec.EncodeHeader(free, new FrameHeader(opcode, payload.Length, isFinal, isCompressed));
            Masker.Copy(payload, free[headerLength..]);
            _length += headerLength + payload.Length;
        }
        else
        {
            uint key = _maskingKeys();
            int headerLength = FrameCodec.EncodeHeader(free, new FrameHeader(opcode, payload.Length, key, isFinal, isCompressed));
            Masker.Mask(payload, free[headerLength..], key);
            _length += headerLength + payload.Length;
        }
    }

    /// <summary>Forgets what was written and keeps the buffer for the next frames.</summary>
    public void Clear() => _length = 0;

    /// <summary>Gives the buffer back. Harmless when repeated.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _length = 0;
        if (_buffer is not null)
        {
            _pool.Return(_buffer);
            _buffer = null;
        }
    }

    // The test is inlined and the growth is not: most frames find room.
    private Span<byte> MakeRoom(int count)
    {
        if (_buffer is null || _buffer.Length - _length < count)
        {
            Grow(count);
        }

        return _buffer.AsSpan(_length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    [MemberNotNull(nameof(_buffer))]
    private void Grow(int count)
    {
        byte[] larger = _pool.Rent(Math.Max(FirstBufferBytes, checked(_length + Math.Max(_length, count))));
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, _length).CopyTo(larger);
            _pool.Return(_buffer);
        }

        _buffer = larger;
    }
}
