namespace Shockwave.Protocol;

/// <summary>The decoded header of one frame (RFC 6455 §5.2). A value; safe to copy and share.</summary>
public readonly struct FrameHeader : IEquatable<FrameHeader>
{
    private readonly byte _flags;
    private readonly bool _isMasked;
    private readonly uint _maskingKey;
    private readonly long _payloadLength;

    /// <summary>Describes an unmasked frame.</summary>
    /// <param name="opcode">The opcode.</param>
    /// <param name="payloadLength">0 to <see cref="long.MaxValue"/>, in bytes; at most 125 for a control frame.</param>
    /// <param name="isFinal">Whether the frame ends its message (FIN).</param>
    /// <param name="isCompressed">Whether RSV1 is set: the message is compressed (RFC 7692 §6).</param>
    public FrameHeader(Opcode opcode, long payloadLength, bool isFinal = true, bool isCompressed = false)
        : this(Flags(opcode, isFinal, isCompressed), isMasked: false, maskingKey: 0, payloadLength)
    {
    }

    /// <summary>Describes a masked frame.</summary>
    /// <param name="opcode">The opcode.</param>
    /// <param name="payloadLength">0 to <see cref="long.MaxValue"/>, in bytes; at most 125 for a control frame.</param>
    /// <param name="maskingKey">The four key bytes in wire order, read as one native integer.</param>
    /// <param name="isFinal">Whether the frame ends its message (FIN).</param>
    /// <param name="isCompressed">Whether RSV1 is set: the message is compressed (RFC 7692 §6).</param>
    public FrameHeader(Opcode opcode, long payloadLength, uint maskingKey, bool isFinal = true, bool isCompressed = false)
        : this(Flags(opcode, isFinal, isCompressed), isMasked: true, maskingKey, payloadLength)
    {
    }

    internal FrameHeader(byte flags, bool isMasked, uint maskingKey, long payloadLength)
    {
        _flags = flags;
        _isMasked = isMasked;
        _maskingKey = maskingKey;
        _payloadLength = payloadLength;
    }

    /// <summary>Gets the opcode.</summary>
    public Opcode Opcode => (Opcode)(_flags & 0x0F);

    /// <summary>Gets whether the frame ends its message (FIN).</summary>
    public bool IsFinal => (_flags & 0x80) != 0;

    /// <summary>Gets whether RSV1 is set. With permessage-deflate it marks a compressed message (RFC 7692 §6).</summary>
    public bool Rsv1 => (_flags & 0x40) != 0;

    /// <summary>Gets whether RSV2 is set. No extension that Shockwave knows uses it.</summary>
    public bool Rsv2 => (_flags & 0x20) != 0;

    /// <summary>Gets whether RSV3 is set. No extension that Shockwave knows uses it.</summary>
    public bool Rsv3 => (_flags & 0x10) != 0;

    /// <summary>Gets whether the payload is masked and a masking key follows the length.</summary>
    public bool IsMasked => _isMasked;

    /// <summary>Gets the four masking key bytes in wire order, read as one native integer; 0 when not masked.</summary>
    public uint MaskingKey => _maskingKey;

    /// <summary>Gets the payload's length in bytes, 0 to <see cref="long.MaxValue"/>.</summary>
    public long PayloadLength => _payloadLength;

    /// <summary>Gets whether this is a control frame: close, ping or pong (RFC 6455 §5.5).</summary>
    public bool IsControl => (_flags & 0x08) != 0;

    internal byte FirstByte => _flags;

    /// <summary>Compares two headers.</summary>
    public static bool operator ==(FrameHeader left, FrameHeader right) => left.Equals(right);

    /// <summary>Compares two headers.</summary>
    public static bool operator !=(FrameHeader left, FrameHeader right) => !left.Equals(right);

    /// <inheritdoc />
    public bool Equals(FrameHeader other) =>
        _flags == other._flags && _isMasked == other._isMasked && _maskingKey == other._maskingKey && _payloadLength == other._payloadLength;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is FrameHeader other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(_flags, _isMasked, _maskingKey, _payloadLength);

    /// <inheritdoc />
    public override string ToString() =>
        $"{Opcode}{(IsFinal ? " FIN" : "")}{(Rsv1 ? " RSV1" : "")}{(IsMasked ? " masked" : "")} {PayloadLength} bytes";

    private static byte Flags(Opcode opcode, bool isFinal, bool isCompressed) =>
        (byte)((byte)opcode | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0));
}
