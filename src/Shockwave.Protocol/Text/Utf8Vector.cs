using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Shockwave.Protocol.Internal;

namespace Shockwave.Protocol;

/// <summary>
/// The UTF-8 kernel, for every vector width: the lookup algorithm of Keiser and Lemire, "Validating UTF-8 in less than one instruction
/// per byte" (2021). Whether a byte may stand where it stands follows from it and the three bytes before it.
/// </summary>
internal static class Utf8Vector<TLanes, TVector>
    where TLanes : struct, IByteLanes<TVector>
    where TVector : struct
{
    // The errors that two bytes in a row can show. A bit that survives in all three tables below is one that they do show.
    private const byte TooShort = 1 << 0;      // a lead byte, then no continuation
    private const byte TooLong = 1 << 1;       // ASCII, then a continuation
    private const byte Overlong3 = 1 << 2;     // E0, then below A0
    private const byte TooLarge = 1 << 3;      // F4, then above 8F, or F5 and more
    private const byte Surrogate = 1 << 4;     // ED, then above 9F
    private const byte Overlong2 = 1 << 5;     // C0 or C1
    private const byte TooLarge1000 = 1 << 6;  // F5 and more, then below 90
    private const byte Overlong4 = 1 << 6;     // F0, then below 90
    private const byte TwoContinuations = 1 << 7;
    private const byte AnyLow = TooShort | TooLong | TwoContinuations;

    /// <summary>The shortest text that <see cref="Validate"/> takes: a vector, with three bytes before it.</summary>
    public static nuint MinLength => TLanes.Count + 3;

    private static Vector128<byte> FirstHigh => Vector128.Create(
        TooLong, TooLong, TooLong, TooLong, TooLong, TooLong, TooLong, TooLong,
        TwoContinuations, TwoContinuations, TwoContinuations, TwoContinuations,
        TooShort | Overlong2,
        TooShort,
        TooShort | Overlong3 | Surrogate,
        TooShort | TooLarge | TooLarge1000 | Overlong4);

    private static Vector128<byte> FirstLow => Vector128.Create(
        AnyLow | Overlong3 | Overlong2 | Overlong4,
        AnyLow | Overlong2,
        AnyLow,
        AnyLow,
        AnyLow | TooLarge,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000 | Surrogate,
        AnyLow | TooLarge | TooLarge1000,
        AnyLow | TooLarge | TooLarge1000);

    private static Vector128<byte> SecondHigh => Vector128.Create(
        TooShort, TooShort, TooShort, TooShort, TooShort, TooShort, TooShort, TooShort,
        TooLong | Overlong2 | TwoContinuations | Overlong3 | TooLarge1000 | Overlong4,
        TooLong | Overlong2 | TwoContinuations | Overlong3 | TooLarge,
        TooLong | Overlong2 | TwoContinuations | Surrogate | TooLarge,
        TooLong | Overlong2 | TwoContinuations | Surrogate | TooLarge,
        TooShort, TooShort, TooShort, TooShort);

    /// <summary>Validates text that starts at a code point.</summary>
    /// <param name="source">The text.</param>
    /// <param name="length"><see cref="MinLength"/> or more.</param>
    /// <returns>The state in which <see cref="Utf8Automaton"/> would have ended.</returns>
    public static byte Validate(ref byte source, nuint length)
    {
        if (!TryStart(ref source, out nuint position))
        {
            return Utf8Automaton.Reject;
        }

        nuint count = TLanes.Count;
        while (length - position >= 4 * count)
        {
            if (!AreFourAscii(ref source, position))
            {
                if (!TryPassMixed(ref source, ref position, length))
                {
                    return Utf8Automaton.Reject;
                }
            }
            else if (!IsInsideCodePoint(ref source, position))
            {
                position = PassAscii(ref source, position + (4 * count), length);
            }
            else
            {
                return Utf8Automaton.Reject;
            }
        }

        // Less than four vectors are left. Vectors that overlap cover them: to check a byte twice does no harm.
        nuint last = length - count;
        if (IsAscii(ref source, Math.Min(position, last), Math.Min(position + count, last), Math.Min(position + (2 * count), last), last))
        {
            return IsInsideCodePoint(ref source, position) ? Utf8Automaton.Reject : Utf8Automaton.Accept;
        }

        return IsEndValid(ref source, position, last) ? Utf8Automaton.StateBefore(ref source, length) : Utf8Automaton.Reject;
    }

    // Goes to a code point at 3 or later, so that from there on the three bytes before a vector can be loaded from the text itself.
    // That costs less than to shift them in from the vector before, which takes two dependent instructions from 256 bits on.
    private static bool TryStart(ref byte source, out nuint position)
    {
        if (TLanes.IsAscii(TLanes.Load(ref source, 0)))
        {
            // Aligned, long ASCII is loaded in two thirds of the time.
            position = Math.Max(3, TLanes.Count - (Masker.AddressOf(ref source) & (TLanes.Count - 1)));
            return true;
        }

        byte state = Utf8Automaton.Run(Utf8Automaton.Accept, ref source, 3);
        for (position = 3; state is not (Utf8Automaton.Accept or Utf8Automaton.Reject); position++)
        {
            state = Utf8Automaton.Run(state, ref Unsafe.Add(ref source, position), 1);
        }

        return state == Utf8Automaton.Accept;
    }

    private static nuint PassAscii(ref byte source, nuint position, nuint length)
    {
        while (length - position >= 4 * TLanes.Count && AreFourAscii(ref source, position))
        {
            position += 4 * TLanes.Count;
        }

        return position;
    }

    // Passes four vectors, and then on until eight are ASCII. Less ASCII in a row is not worth the two branches mispredicted, when
    // going over to the other loop and when coming back: they cost as much as to check it.
    // Not inlined, and calls nothing: the vectors must stay in registers. Spilling one in this loop made it five times slower.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryPassMixed(ref byte source, ref nuint position, nuint length)
    {
        nuint count = TLanes.Count;
        nuint current = position;
        nuint end = current + (4 * count);
        TVector errors = TLanes.Repeat((byte)0);
        while (true)
        {
            for (; current < end; current += count)
            {
                errors = TLanes.Or(errors, Errors(ref source, current));
            }

            if (length - current < 8 * count || (AreFourAscii(ref source, current) & AreFourAscii(ref source, current + (4 * count))))
            {
                position = current;
                return TLanes.IsZero(errors);
            }

            end = current + (8 * count);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsEndValid(ref byte source, nuint position, nuint last)
    {
        TVector errors = TLanes.Repeat((byte)0);
        for (; position < last; position += TLanes.Count)
        {
            errors = TLanes.Or(errors, Errors(ref source, position));
        }

        return TLanes.IsZero(TLanes.Or(errors, Errors(ref source, last)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreFourAscii(ref byte source, nuint position)
    {
        nuint count = TLanes.Count;
        return IsAscii(ref source, position, position + count, position + (2 * count), position + (3 * count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAscii(ref byte source, nuint first, nuint second, nuint third, nuint fourth) => TLanes.IsAscii(TLanes.Or(
        TLanes.Or(TLanes.Load(ref source, first), TLanes.Load(ref source, second)),
        TLanes.Or(TLanes.Load(ref source, third), TLanes.Load(ref source, fourth))));

    // Errors shows a code point cut short at the byte after it; this is for where that byte is known to be ASCII and is not checked.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsInsideCodePoint(ref byte source, nuint position) =>
        Unsafe.Add(ref source, position - 1) >= 0xC0
        | Unsafe.Add(ref source, position - 2) >= 0xE0
        | Unsafe.Add(ref source, position - 3) >= 0xF0;

    // Non-zero where the byte cannot follow the three before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Errors(ref byte source, nuint position)
    {
        TVector current = TLanes.Load(ref source, position);
        TVector oneBefore = TLanes.Load(ref source, position - 1);
        TVector twoBefore = TLanes.Load(ref source, position - 2);
        TVector threeBefore = TLanes.Load(ref source, position - 3);
        TVector pair = TLanes.And(
            TLanes.And(
                TLanes.Lookup(FirstHigh, TLanes.HighNibbles(oneBefore)),
                TLanes.Lookup(FirstLow, TLanes.And(oneBefore, TLanes.Repeat((byte)0x0F)))),
            TLanes.Lookup(SecondHigh, TLanes.HighNibbles(current)));

        // The top bit where a third or fourth byte must stand: two after E0 and up, three after F0 and up. There, and only there,
        // two continuations in a row are right.
        TVector third = TLanes.SubtractSaturate(twoBefore, TLanes.Repeat((byte)(0xE0 - 0x80)));
        TVector fourth = TLanes.SubtractSaturate(threeBefore, TLanes.Repeat((byte)(0xF0 - 0x80)));
        return TLanes.Xor(pair, TLanes.And(TLanes.Or(third, fourth), TLanes.Repeat((byte)0x80)));
    }
}
