using System.Runtime.CompilerServices;

namespace Shockwave.Protocol;

/// <summary>Masks eight bytes at a time in general registers. The vector kernel's twin: what it is tested against, and used without SIMD.</summary>
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

        for (; position < length; position++)
        {
            Unsafe.Add(ref destination, position) = (byte)(Unsafe.Add(ref source, position) ^ Masker.FirstByte(key));
            key = Masker.Rotate(key, 1);
        }
    }
}
