using System.Runtime.CompilerServices;

namespace Shockwave.Protocol;

/// <summary>
/// Masks eight bytes at a time in general registers. The vector kernel's twin: what it is tested against, used without SIMD and for
/// payloads shorter than a vector.
/// </summary>
internal static class MaskerScalar
{
    // Forward, each byte read before it or any byte after it is written: right also where destination starts before source.
    public static void Mask(ref byte source, ref byte destination, nuint length, uint key)
    {
        ulong wideKey = ((ulong)key << 32) | key;
        nuint position = 0;
        for (; length - position >= sizeof(ulong); position += sizeof(ulong))
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, position));
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref destination, position), word ^ wideKey);
        }

        // Pieces that do not overlap: a payload of a few bytes is often read at once, and a load that spans two stores waits for both.
        if ((length & sizeof(uint)) != 0)
        {
            uint word = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, position));
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref destination, position), word ^ key);
            position += sizeof(uint);
        }

        if ((length & sizeof(ushort)) != 0)
        {
            ushort word = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref source, position));
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref destination, position), (ushort)(word ^ FirstTwoBytes(key)));
            position += sizeof(ushort);
            key = Masker.Rotate(key, sizeof(ushort));
        }

        if ((length & sizeof(byte)) != 0)
        {
            Unsafe.Add(ref destination, position) = (byte)(Unsafe.Add(ref source, position) ^ FirstByte(key));
        }
    }

    private static uint FirstTwoBytes(uint key) => BitConverter.IsLittleEndian ? key : key >> 16;

    private static uint FirstByte(uint key) => BitConverter.IsLittleEndian ? key : key >> 24;
}
