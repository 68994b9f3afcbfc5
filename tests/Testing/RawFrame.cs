using System.Buffers.Binary;
using System.Text;

namespace Shockwave.Testing;

/// <summary>Frames as bytes, the illegal ones too (RFC 6455 §5.2). It shares no code with what it tests.</summary>
public static class RawFrame
{
    /// <summary>The masking key of every masked frame made here.</summary>
    public static ReadOnlySpan<byte> Key => [0x37, 0xFA, 0x21, 0x3D];

    /// <summary>A masked frame, as a client sends it.</summary>
    /// <param name="first">The first byte: FIN, RSV1-3, opcode.</param>
    /// <param name="payload">The payload before masking.</param>
    public static byte[] Masked(int first, params ReadOnlySpan<byte> payload) => [.. MaskedHeader(first, payload.Length), .. Mask(payload)];

    /// <summary>A masked frame with a text as payload.</summary>
    public static byte[] Masked(int first, string text) => Masked(first, Encoding.UTF8.GetBytes(text));

    /// <summary>An unmasked frame, as a server sends it.</summary>
    public static byte[] Unmasked(int first, params ReadOnlySpan<byte> payload) => [.. Header(first, (ulong)payload.Length, isMasked: false), .. payload];

    /// <summary>An unmasked frame with a text as payload.</summary>
    public static byte[] Unmasked(int first, string text) => Unmasked(first, Encoding.UTF8.GetBytes(text));

    /// <summary>The header of a masked frame that declares a payload of any length.</summary>
    public static byte[] MaskedHeader(int first, long length) => [.. Header(first, (ulong)length, isMasked: true), .. Key];

    /// <summary>A header without a masking key.</summary>
    /// <param name="first">The first byte: FIN, RSV1-3, opcode.</param>
    /// <param name="length">The declared length.</param>
    /// <param name="isMasked">Whether the mask bit is set.</param>
    /// <param name="lengthBytes">0, 2 or 8 bytes for the length; the fewest by default.</param>
    public static byte[] Header(int first, ulong length, bool isMasked, int? lengthBytes = null)
    {
        int mask = isMasked ? 0x80 : 0;
        switch (lengthBytes ?? (length < 126 ? 0 : length <= ushort.MaxValue ? 2 : 8))
        {
            case 0:
                return [(byte)first, (byte)(mask | (int)length)];
            case 2:
                return [(byte)first, (byte)(mask | 126), (byte)(length >> 8), (byte)length];
            default:
                byte[] header = [(byte)first, (byte)(mask | 127), 0, 0, 0, 0, 0, 0, 0, 0];
                BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(2), length);
                return header;
        }
    }

    /// <summary>Masks, or unmasks, with <see cref="Key"/>.</summary>
    public static byte[] Mask(ReadOnlySpan<byte> payload)
    {
        byte[] masked = payload.ToArray();
        for (int i = 0; i < masked.Length; i++)
        {
            masked[i] ^= Key[i & 3];
        }

        return masked;
    }

    /// <summary>The payload of a Close frame.</summary>
    public static byte[] ClosePayload(int code, params ReadOnlySpan<byte> reason) => [(byte)(code >> 8), (byte)code, .. reason];
}
