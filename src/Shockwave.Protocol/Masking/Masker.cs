using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Shockwave.Protocol.Internal;

namespace Shockwave.Protocol;

/// <summary>Masks and unmasks payloads (RFC 6455 §5.3): the same operation both ways. Stateless; safe from any thread.</summary>
public static class Masker
{
    private const int LongestManagedCopy = 2048;

    /// <summary>Masks <paramref name="payload"/> in place.</summary>
    /// <param name="payload">Any number of bytes; all of them are changed.</param>
    /// <param name="maskingKey">The four key bytes in wire order, read as one native integer, as <see cref="FrameHeader.MaskingKey"/> is.</param>
    /// <param name="keyOffset">The position in the key of the first byte, modulo 4: the number of payload bytes of the frame masked before.</param>
    public static void Mask(Span<byte> payload, uint maskingKey, int keyOffset = 0)
    {
        ref byte start = ref MemoryMarshal.GetReference(payload);
        Mask(ref start, ref start, (uint)payload.Length, Rotate(maskingKey, (uint)keyOffset));
    }

    /// <summary>Copies <paramref name="source"/> to the start of <paramref name="destination"/>, masked.</summary>
    /// <param name="source">Any number of bytes.</param>
    /// <param name="destination">At least as long as <paramref name="source"/>; what is beyond stays untouched. It may be the same memory or start before it.</param>
    /// <param name="maskingKey">The four key bytes in wire order, read as one native integer, as <see cref="FrameHeader.MaskingKey"/> is.</param>
    /// <param name="keyOffset">The position in the key of the first byte, modulo 4: the number of payload bytes of the frame masked before.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="destination"/> is shorter than <paramref name="source"/>, or starts inside it after its first byte. Nothing was written.
    /// </exception>
    public static void Mask(ReadOnlySpan<byte> source, Span<byte> destination, uint maskingKey, int keyOffset = 0)
    {
        ref byte from = ref MemoryMarshal.GetReference(source);
        ref byte to = ref MemoryMarshal.GetReference(destination);
        nint distance = Unsafe.ByteOffset(ref from, ref to);
        if (destination.Length < source.Length || (distance > 0 && distance < source.Length))
        {
            ThrowBadDestination(source, destination);
        }

        Mask(ref from, ref to, (uint)source.Length, Rotate(maskingKey, (uint)keyOffset));
    }

    /// <summary>Copies the payload of a frame that is not masked. The memory must not overlap.</summary>
    /// <remarks>
    /// From 2 KiB on Span.CopyTo leaves managed code for the C library. Its string instruction takes 1.4 to 1.8 times as long as the
    /// masking loop up to 256 KiB (EPYC, glibc 2.36), up to thirty times where the two addresses are equal modulo 4 KiB, and is no
    /// faster beyond. So the loop copies, with a key that changes nothing.
    /// </remarks>
    internal static void Copy(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.Length <= LongestManagedCopy || !ProtocolKernels.IsSimdEnabled)
        {
            source.CopyTo(destination);
        }
        else
        {
            Mask(source, destination, maskingKey: 0);
        }
    }

    /// <summary>Turns the key so that it starts with the key byte of payload position <paramref name="position"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Rotate(uint key, uint position) =>
        BitConverter.IsLittleEndian ? BitOperations.RotateRight(key, (int)(8 * position)) : BitOperations.RotateLeft(key, (int)(8 * position));

    // Only to choose an alignment: the address may be stale at once.
    internal static unsafe nuint AddressOf(ref byte reference) => (nuint)Unsafe.AsPointer(ref reference);

    private static void Mask(ref byte source, ref byte destination, nuint length, uint key)
    {
        if (!ProtocolKernels.IsSimdEnabled || length < (uint)Vector128<byte>.Count)
        {
            MaskerScalar.Mask(ref source, ref destination, length, key);
        }
        else if (Vector512.IsHardwareAccelerated && length >= (uint)Vector512<byte>.Count)
        {
            MaskerVector<ByteLanes512, Vector512<byte>>.Mask(ref source, ref destination, length, key);
        }
        else if (Vector256.IsHardwareAccelerated && length >= (uint)Vector256<byte>.Count)
        {
            MaskerVector<ByteLanes256, Vector256<byte>>.Mask(ref source, ref destination, length, key);
        }
        else
        {
            MaskerVector<ByteLanes128, Vector128<byte>>.Mask(ref source, ref destination, length, key);
        }
    }

    [DoesNotReturn]
    private static void ThrowBadDestination(ReadOnlySpan<byte> source, Span<byte> destination) =>
        throw new ArgumentException(
            destination.Length < source.Length
                ? $"The masked payload needs {source.Length} bytes."
                : "It starts inside the source: bytes would be overwritten before they are read.",
            nameof(destination));
}
