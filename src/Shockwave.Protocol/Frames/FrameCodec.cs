using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Shockwave.Protocol;

/// <summary>Frame headers from bytes and to bytes (RFC 6455 §5.2). Stateless; safe from any thread.</summary>
public static class FrameCodec
{
    /// <summary>The longest header: two bytes, a 64-bit length and a masking key.</summary>
    public const int MaxHeaderBytes = 14;

    /// <summary>The longest payload of a control frame (RFC 6455 §5.5).</summary>
    public const int MaxControlPayloadBytes = 125;

    private const int LengthIs16Bit = 126;
    private const int LengthIs64Bit = 127;
    private const int MaskBit = 0x80;

    // The defined opcodes, one bit each: 0, 1, 2, 8, 9 and 10.
    private const int DefinedOpcodes = 0b0111_0000_0111;

    /// <summary>Decodes the frame header at the start of <paramref name="source"/>.</summary>
    /// <param name="source">The bytes received; only the header is looked at.</param>
    /// <param name="header">The header on <see cref="OperationStatus.Done"/>; otherwise undefined.</param>
    /// <param name="bytesConsumed">2 to 14 on <see cref="OperationStatus.Done"/>; otherwise 0.</param>
    /// <returns><c>NeedMoreData</c> if truncated; <c>InvalidData</c> on a protocol violation. Never throws.</returns>
    public static OperationStatus DecodeHeader(ReadOnlySpan<byte> source, out FrameHeader header, out int bytesConsumed) =>
        DecodeHeader(source, out header, out bytesConsumed, out _);

    /// <summary>Decodes the frame header at the start of <paramref name="source"/> and says what is wrong with one that is refused.</summary>
    /// <param name="source">The bytes received; only the header is looked at.</param>
    /// <param name="header">The header on <see cref="OperationStatus.Done"/>; otherwise undefined.</param>
    /// <param name="bytesConsumed">2 to 14 on <see cref="OperationStatus.Done"/>; otherwise 0.</param>
    /// <param name="violation">The violation on <see cref="OperationStatus.InvalidData"/>; otherwise <see langword="null"/>.</param>
    /// <returns><c>NeedMoreData</c> if truncated; <c>InvalidData</c> on a protocol violation. Never throws.</returns>
    /// <remarks>
    /// The reserved bits depend on the extensions that were negotiated and the mask bit on the role: both are left to the caller.
    /// A verdict that the first two bytes allow is given at once, so it does not depend on how the bytes arrive.
    /// </remarks>
    public static OperationStatus DecodeHeader(
        ReadOnlySpan<byte> source, out FrameHeader header, out int bytesConsumed, out ProtocolViolation? violation)
    {
        Unsafe.SkipInit(out header);
        bytesConsumed = 0;
        violation = null;
        if (source.Length < 2)
        {
            return OperationStatus.NeedMoreData;
        }

        // The opcode before the length: a frame that is refused anyway must not be waited for, nor allocated for.
        int first = source[0];
        if (((DefinedOpcodes >> (first & 0x0F)) & 1) == 0)
        {
            return Refuse(ProtocolViolation.ReservedOpcode, out violation);
        }

        int second = source[1];
        int length = second & 0x7F;
        if ((first & 0x08) != 0)
        {
            // RFC 6455 §5.5: control frames are at most 125 bytes and must not be fragmented.
            if ((first & 0x80) == 0)
            {
                return Refuse(ProtocolViolation.FragmentedControlFrame, out violation);
            }

            if (length > MaxControlPayloadBytes)
            {
                return Refuse(ProtocolViolation.ControlFrameTooLong, out violation);
            }
        }

        int position = 2;
        long payloadLength = length;
        if (length == LengthIs16Bit)
        {
            if (source.Length < 4)
            {
                return OperationStatus.NeedMoreData;
            }

            payloadLength = BinaryPrimitives.ReadUInt16BigEndian(source[2..]);
            position = 4;

            // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
            if (payloadLength < LengthIs16Bit)
            {
                return Refuse(ProtocolViolation.LengthNotMinimal, out violation);
            }
        }
        else if (length == LengthIs64Bit)
        {
            if (source.Length < 10)
            {
                return OperationStatus.NeedMoreData;
            }

            payloadLength = BinaryPrimitives.ReadInt64BigEndian(source[2..]);
            position = 10;
            if (payloadLength < 0)
            {
                return Refuse(ProtocolViolation.LengthTopBit, out violation);
            }

            if (payloadLength <= ushort.MaxValue)
            {
                return Refuse(ProtocolViolation.LengthNotMinimal, out violation);
            }
        }

        uint maskingKey = 0;
        bool isMasked = (second & MaskBit) != 0;
        if (isMasked)
        {
            if (source.Length < position + 4)
            {
                return OperationStatus.NeedMoreData;
            }

            maskingKey = Unsafe.ReadUnaligned<uint>(in source[position]);
            position += 4;
        }

        header = new FrameHeader((byte)first, isMasked, maskingKey, payloadLength);
        bytesConsumed = position;
        return OperationStatus.Done;
    }

    /// <summary>Gets the length of an encoded header.</summary>
    /// <param name="payloadLength">0 to <see cref="long.MaxValue"/>, in bytes.</param>
    /// <param name="isMasked">Whether a masking key follows the length.</param>
    /// <returns>2 to 14 bytes.</returns>
    public static int GetHeaderLength(long payloadLength, bool isMasked) =>
        (payloadLength < LengthIs16Bit ? 2 : payloadLength <= ushort.MaxValue ? 4 : 10) + (isMasked ? 4 : 0);

    /// <summary>Encodes <paramref name="header"/> at the start of <paramref name="destination"/>, the length minimally.</summary>
    /// <param name="destination">At least <see cref="GetHeaderLength"/> bytes; 14 are always enough.</param>
    /// <param name="header">The header. Its reserved bits are written as they are.</param>
    /// <returns>The bytes written, 2 to 14.</returns>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A control frame that is fragmented or over 125 bytes, or a negative length.</exception>
    public static int EncodeHeader(Span<byte> destination, in FrameHeader header)
    {
        long length = header.PayloadLength;
        if ((ulong)length > (header.IsControl ? MaxControlPayloadBytes : (ulong)long.MaxValue) || (header.IsControl && !header.IsFinal))
        {
            throw new ArgumentOutOfRangeException(nameof(header), header, "Not a frame that RFC 6455 §5.5 allows.");
        }

        int headerLength = GetHeaderLength(length, header.IsMasked);
        if (destination.Length < headerLength)
        {
            throw new ArgumentException($"The header needs {headerLength} bytes.", nameof(destination));
        }

        destination[0] = header.FirstByte;
        EncodeLength(destination, length, header.IsMasked ? MaskBit : 0);
        if (header.IsMasked)
        {
            Unsafe.WriteUnaligned(ref destination[headerLength - 4], header.MaskingKey);
        }

        return headerLength;
    }

    /// <summary>As <see cref="EncodeHeader"/>, for a whole message of a server: one frame, not masked.</summary>
    /// <param name="destination">At least <see cref="GetHeaderLength"/> bytes.</param>
    /// <param name="opcode">Text or binary.</param>
    /// <param name="length">The payload's, in bytes.</param>
    /// <param name="isCompressed">Whether RSV1 is set.</param>
    /// <returns>The bytes written: 2, 4 or 10.</returns>
    /// <remarks>No header is made first: written in bytes and read at once in words it would stall the processor for each message.</remarks>
    internal static int EncodeMessageHeader(Span<byte> destination, Opcode opcode, int length, bool isCompressed = false)
    {
        destination[0] = (byte)((int)opcode | (isCompressed ? 0xC0 : 0x80));
        EncodeLength(destination, length, maskBit: 0);
        return GetHeaderLength(length, isMasked: false);
    }

    private static void EncodeLength(Span<byte> destination, long length, int maskBit)
    {
        if (length < LengthIs16Bit)
        {
            destination[1] = (byte)((int)length | maskBit);
        }
        else if (length <= ushort.MaxValue)
        {
            destination[1] = (byte)(LengthIs16Bit | maskBit);
            BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)length);
        }
        else
        {
            destination[1] = (byte)(LengthIs64Bit | maskBit);
            BinaryPrimitives.WriteInt64BigEndian(destination[2..], length);
        }
    }

    private static OperationStatus Refuse(ProtocolViolation violation, out ProtocolViolation? result)
    {
        result = violation;
        return OperationStatus.InvalidData;
    }
}
