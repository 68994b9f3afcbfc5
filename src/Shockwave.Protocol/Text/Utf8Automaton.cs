using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shockwave.Protocol;

/// <summary>
/// UTF-8 as a finite automaton (RFC 3629 §4, the Unicode standard's table 3-7), one byte a step. The vector kernel's twin: what it is
/// tested against, used for its heads and tails and without SIMD.
/// </summary>
internal static class Utf8Automaton
{
    // A state is a shift count. Each byte has a row of ten six-bit fields, and the field at the state's shift is the next state: a
    // step is one load and one shift, without a branch that mixed text would mispredict.
    public const byte Accept = 0;
    public const byte Reject = 1 * 6;

    private const byte OneMore = 2 * 6;
    private const byte TwoMore = 3 * 6;
    private const byte ThreeMore = 4 * 6;
    private const byte AfterE0 = 5 * 6;
    private const byte AfterED = 6 * 6;
    private const byte AfterF0 = 7 * 6;
    private const byte AfterF4 = 8 * 6;
    private const byte StateMask = 0x3F;

    private static readonly ulong[] _rows = CreateRows();

    /// <summary>Steps over <paramref name="length"/> bytes. <see cref="Reject"/> is never left.</summary>
    public static byte Run(byte state, ref byte source, nuint length)
    {
        ref ulong rows = ref MemoryMarshal.GetArrayDataReference(_rows);
        ulong current = state;
        for (nuint position = 0; position < length; position++)
        {
            // A shift count is taken modulo 64, so what is left of the row above the state does no harm.
            current = Unsafe.Add(ref rows, (nuint)Unsafe.Add(ref source, position)) >> (int)current;
        }

        return (byte)(current & StateMask);
    }

    /// <summary>As <see cref="Run"/>, for text that may be long: ASCII passes a word at a time.</summary>
    public static byte RunLong(byte state, ref byte source, nuint length)
    {
        nuint position = 0;
        for (; length - position >= sizeof(ulong); position += sizeof(ulong))
        {
            ref byte word = ref Unsafe.Add(ref source, position);
            if (state != Accept || (Unsafe.ReadUnaligned<ulong>(ref word) & 0x8080_8080_8080_8080) != 0)
            {
                state = Run(state, ref word, sizeof(ulong));
            }
        }

        return Run(state, ref Unsafe.Add(ref source, position), length - position);
    }

    /// <summary>The state that <see cref="Run"/> would have reached before <paramref name="end"/>, from the last code point alone.</summary>
    /// <param name="source">Text that starts at a code point, without an error other than perhaps one in its last code point.</param>
    /// <param name="end">3 or more.</param>
    public static byte StateBefore(ref byte source, nuint end)
    {
        for (nuint back = 1; back <= 3; back++)
        {
            ref byte lead = ref Unsafe.Add(ref source, end - back);
            if (lead is < 0x80 or >= 0xC0)
            {
                return Run(Accept, ref lead, back);
            }
        }

        return Accept;
    }

    private static ulong[] CreateRows()
    {
        var rows = new ulong[256];
        Array.Fill(rows, Field(Accept, Reject) | Field(Reject, Reject) | Field(OneMore, Reject) | Field(TwoMore, Reject)
            | Field(ThreeMore, Reject) | Field(AfterE0, Reject) | Field(AfterED, Reject) | Field(AfterF0, Reject) | Field(AfterF4, Reject));
        Allow(rows, Accept, 0x00, 0x7F, Accept);
        Allow(rows, Accept, 0xC2, 0xDF, OneMore);
        Allow(rows, Accept, 0xE0, 0xEF, TwoMore);
        Allow(rows, Accept, 0xE0, 0xE0, AfterE0);
        Allow(rows, Accept, 0xED, 0xED, AfterED);
        Allow(rows, Accept, 0xF0, 0xF4, ThreeMore);
        Allow(rows, Accept, 0xF0, 0xF0, AfterF0);
        Allow(rows, Accept, 0xF4, 0xF4, AfterF4);
        Allow(rows, OneMore, 0x80, 0xBF, Accept);
        Allow(rows, TwoMore, 0x80, 0xBF, OneMore);
        Allow(rows, ThreeMore, 0x80, 0xBF, TwoMore);
        Allow(rows, AfterE0, 0xA0, 0xBF, OneMore);   // below: overlong
        Allow(rows, AfterED, 0x80, 0x9F, OneMore);   // above: surrogates
        Allow(rows, AfterF0, 0x90, 0xBF, TwoMore);   // below: overlong
        Allow(rows, AfterF4, 0x80, 0x8F, TwoMore);   // above: beyond U+10FFFF
        return rows;
    }

    private static ulong Field(byte state, byte next) => (ulong)next << state;

    private static void Allow(ulong[] rows, byte state, byte first, byte last, byte next)
    {
        for (int value = first; value <= last; value++)
        {
            rows[value] = (rows[value] & ~Field(state, StateMask)) | Field(state, next);
        }
    }
}
