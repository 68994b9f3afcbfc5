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
        nuint count = TLanes.Count;
        if (!TryStart(ref source, out nuint position))
        {
            return Utf8Automaton.Reject;
        }

        TVector errors = TLanes.Repeat((byte)0);
        while (length - position >= 2 * count)
        {
            TVector first = TLanes.Load(ref source, position);
            TVector second = TLanes.Load(ref source, position + count);
            if (!TLanes.IsAscii(TLanes.Or(first, second)))
            {
                errors = TLanes.Or(errors, TLanes.Or(Errors(ref source, position, first), Errors(ref source, position + count, second)));
                position += 2 * count;
            }
            else if (Utf8Automaton.StateBefore(ref source, position) == Utf8Automaton.Accept)
            {
                position = SkipAscii(ref source, position + (2 * count), length);
            }
            else
            {
                return Utf8Automaton.Reject;
            }
        }

        // Less than two vectors are left. Two that overlap cover them: to check a byte twice does no harm.
        nuint last = length - count;
        nuint beforeLast = Math.Min(position, last);
        TVector middle = TLanes.Load(ref source, beforeLast);
        TVector tail = TLanes.Load(ref source, last);
        if (TLanes.IsAscii(TLanes.Or(middle, tail)))
        {
            // Of the code point that may end at position, the check above has not seen that it is cut short.
            return TLanes.IsZero(errors) ? RejectUnlessAccept(Utf8Automaton.StateBefore(ref source, position)) : Utf8Automaton.Reject;
        }

        errors = TLanes.Or(errors, TLanes.Or(Errors(ref source, beforeLast, middle), Errors(ref source, last, tail)));
        return TLanes.IsZero(errors) ? Utf8Automaton.StateBefore(ref source, length) : Utf8Automaton.Reject;
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

    private static nuint SkipAscii(ref byte source, nuint position, nuint length)
    {
        nuint count = TLanes.Count;
        while (length - position >= 4 * count)
        {
            TVector first = TLanes.Or(TLanes.Load(ref source, position), TLanes.Load(ref source, position + count));
            TVector second = TLanes.Or(TLanes.Load(ref source, position + (2 * count)), TLanes.Load(ref source, position + (3 * count)));
            if (!TLanes.IsAscii(TLanes.Or(first, second)))
            {
                break;
            }

            position += 4 * count;
        }

        return position;
    }

    // Non-zero where the byte cannot follow the three before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Errors(ref byte source, nuint position, TVector current)
    {
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

    private static byte RejectUnlessAccept(byte state) => state == Utf8Automaton.Accept ? state : Utf8Automaton.Reject;
}
