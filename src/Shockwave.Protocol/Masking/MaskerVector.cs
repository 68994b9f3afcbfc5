using System.Runtime.CompilerServices;
using Shockwave.Protocol.Internal;

namespace Shockwave.Protocol;

/// <summary>The masking kernel, for every vector width.</summary>
internal static class MaskerVector<TLanes, TVector>
    where TLanes : struct, IByteLanes<TVector>
    where TVector : struct
{
    // Shorter payloads do not earn back the extra vector that aligning costs.
    private const uint AlignFromVectors = 16;

    /// <summary>Masks <paramref name="length"/> bytes from <paramref name="source"/> to <paramref name="destination"/>.</summary>
    /// <remarks>
    /// <paramref name="length"/> is at least one vector; <paramref name="destination"/> is <paramref name="source"/>, or starts before it,
    /// or does not overlap it. The last vector overlaps the one before, and the first one the aligned ones. Masking a byte twice would
    /// unmask it, so each of them is read before the store that it overlaps: what is written twice is written the same.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Mask(ref byte source, ref byte destination, nuint length, uint key)
    {
        nuint count = TLanes.Count;
        nuint last = length - count;
        TVector keys = TLanes.Repeat(key);
        TVector head = TLanes.Xor(TLanes.Load(ref source, 0), keys);
        TVector tail = TLanes.Xor(TLanes.Load(ref source, last), TLanes.Repeat(Masker.Rotate(key, (uint)last)));
        nuint position = count;
        if (length < AlignFromVectors * count)
        {
            TLanes.Store(head, ref destination, 0);
        }
        else
        {
            // A store that straddles two cache lines costs two, a straddling load hardly more than one. A collection may move the
            // array after this: then the stores are only slower. The head is stored here and not at the end because a payload that
            // is read or masked again at once would wait for that store (a third of the time at 1 KiB).
            position -= Masker.AddressOf(ref destination) & (count - 1);
            keys = TLanes.Repeat(Masker.Rotate(key, (uint)position));
            TVector aligned = TLanes.Xor(TLanes.Load(ref source, position), keys);
            TLanes.Store(head, ref destination, 0);
            TLanes.Store(aligned, ref destination, position);
            position += count;
        }

        for (; position + (3 * count) <= last; position += 4 * count)
        {
            TVector first = TLanes.Xor(TLanes.Load(ref source, position), keys);
            TVector second = TLanes.Xor(TLanes.Load(ref source, position + count), keys);
            TVector third = TLanes.Xor(TLanes.Load(ref source, position + (2 * count)), keys);
            TVector fourth = TLanes.Xor(TLanes.Load(ref source, position + (3 * count)), keys);
            TLanes.Store(first, ref destination, position);
            TLanes.Store(second, ref destination, position + count);
            TLanes.Store(third, ref destination, position + (2 * count));
            TLanes.Store(fourth, ref destination, position + (3 * count));
        }

        for (; position < last; position += count)
        {
            TLanes.Store(TLanes.Xor(TLanes.Load(ref source, position), keys), ref destination, position);
        }

        TLanes.Store(tail, ref destination, last);
    }
}
