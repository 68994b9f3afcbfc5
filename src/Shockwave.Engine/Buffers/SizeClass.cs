using System.Numerics;
using System.Runtime.CompilerServices;

namespace Shockwave.Engine;

/// <summary>The lengths that a <see cref="BufferPool"/> keeps: four times as much each from 256 B to 64 KiB, then twice as much up to 1 MiB.</summary>
internal static class SizeClass
{
    public const int Count = 9;
    public const int MinBytes = 256;
    public const int MaxBytes = 1024 * 1024;

    private const int MinBits = 8;

    // From here on a class four times as long would waste too much.
    private const int WideBytes = 64 * 1024;
    private const int WideBits = 16;
    private const int WideClass = 4;

    /// <summary>Gets the class of the shortest buffer that has room; <see cref="Count"/> or more where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Of(int minimumLength)
    {
        if (minimumLength <= MinBytes)
        {
            return 0;
        }

        int bits = BitOperations.Log2((uint)minimumLength - 1) + 1;
        return minimumLength <= WideBytes ? (bits - MinBits + 1) >> 1 : bits - WideBits + WideClass;
    }

    /// <summary>Gets the class whose buffers are exactly as long; false where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryGet(int length, out int sizeClass)
    {
        sizeClass = Of(length);
        return (uint)sizeClass < Count && BytesOf(sizeClass) == length;
    }

    /// <summary>Gets how long the buffers of a class are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BytesOf(int sizeClass) => sizeClass <= WideClass ? MinBytes << (2 * sizeClass) : WideBytes << (sizeClass - WideClass);
}
