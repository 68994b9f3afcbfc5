namespace Shockwave.Protocol;

/// <summary>The canonical Huffman code of one DEFLATE alphabet (RFC 1951 §3.2.2). Rebuilt in place; read-only between builds.</summary>
internal sealed class HuffmanTable
{
    /// <summary>The longest code, in bits.</summary>
    public const int MaxCodeBits = 15;

    /// <summary>Returned by <see cref="Decode"/> when the bits at hand are only the beginning of a code.</summary>
    public const int Incomplete = -1;

    /// <summary>Returned by <see cref="Decode"/> when no code begins with the bits at hand.</summary>
    public const int Invalid = -2;

    private const int FastBits = 9;
    private const int MaxSymbols = 288;
    private const int LengthMask = 15;
    private const int SymbolShift = 4;

    private readonly ushort[] _counts = new ushort[MaxCodeBits + 1];
    private readonly ushort[] _symbols = new ushort[MaxSymbols];

    // Indexed by the next bits of the stream: symbol and length of the code they begin with, or 0 where it is longer or none.
    private readonly ushort[] _fast = new ushort[1 << FastBits];

    /// <summary>The fixed code for literals and lengths (RFC 1951 §3.2.6).</summary>
    public static HuffmanTable FixedLiterals { get; } = CreateFixedLiterals();

    /// <summary>The fixed code for distances (RFC 1951 §3.2.6).</summary>
    public static HuffmanTable FixedDistances { get; } = CreateFixedDistances();

    /// <summary>Builds the code in which symbol <c>n</c> takes <c>lengths[n]</c> bits, 0 to 15; 0 for an unused symbol.</summary>
    /// <param name="lengths">At most 288 lengths.</param>
    /// <param name="mayBeIncomplete">Whether a code of one symbol with one bit, or of none, is allowed (RFC 1951 §3.2.7).</param>
    /// <returns>Whether the lengths form a code; if not, the table must not be used.</returns>
    public bool TryBuild(ReadOnlySpan<byte> lengths, bool mayBeIncomplete)
    {
        Array.Clear(_counts);
        foreach (byte length in lengths)
        {
            _counts[length]++;
        }

        int used = lengths.Length - _counts[0];
        _counts[0] = 0;
        Span<ushort> offsets = stackalloc ushort[MaxCodeBits + 2];
        Span<ushort> codes = stackalloc ushort[MaxCodeBits + 1];
        int free = 1;
        int code = 0;
        offsets.Clear();
        for (int bits = 1; bits <= MaxCodeBits; bits++)
        {
            free = (free << 1) - _counts[bits];
            if (free < 0)
            {
                return false;
            }

            code = (code + _counts[bits - 1]) << 1;
            codes[bits] = (ushort)code;
            offsets[bits + 1] = (ushort)(offsets[bits] + _counts[bits]);
        }

        if (free > 0 && !(mayBeIncomplete && used == _counts[1]))
        {
            return false;
        }

        Array.Clear(_fast);
        for (int symbol = 0; symbol < lengths.Length; symbol++)
        {
            int bits = lengths[symbol];
            if (bits != 0)
            {
                _symbols[offsets[bits]++] = (ushort)symbol;
                AddFast(symbol, bits, codes[bits]++);
            }
        }

        return true;
    }

    /// <summary>Decodes the symbol at the low end of <paramref name="bits"/>.</summary>
    /// <param name="bits">The next bits of the stream, the first one lowest; those above <paramref name="bitCount"/> are 0.</param>
    /// <param name="bitCount">How many bits there are.</param>
    /// <param name="codeBits">The length of the code that was found.</param>
    /// <returns>The symbol, <see cref="Incomplete"/> or <see cref="Invalid"/>.</returns>
    public int Decode(ulong bits, int bitCount, out int codeBits)
    {
        int entry = _fast[(int)bits & ((1 << FastBits) - 1)];
        codeBits = entry & LengthMask;
        if (entry == 0)
        {
            return DecodeSlowly(bits, bitCount, out codeBits);
        }

        return codeBits <= bitCount ? entry >> SymbolShift : Incomplete;
    }

    private int DecodeSlowly(ulong bits, int bitCount, out int codeBits)
    {
        int code = 0;
        int first = 0;
        int index = 0;
        for (codeBits = 1; codeBits <= MaxCodeBits; codeBits++)
        {
            if (codeBits > bitCount)
            {
                return Incomplete;
            }

            code |= (int)(bits >> (codeBits - 1)) & 1;
            int count = _counts[codeBits];
            if (code - first < count)
            {
                return _symbols[index + code - first];
            }

            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }

        return Invalid;
    }

    // A code comes out of the stream with its highest bit first, so the index has it reversed; the bits above it are any.
    private void AddFast(int symbol, int bits, int code)
    {
        if (bits > FastBits)
        {
            return;
        }

        int reversed = 0;
        for (int i = 0; i < bits; i++)
        {
            reversed |= ((code >> i) & 1) << (bits - 1 - i);
        }

        for (int i = reversed; i < _fast.Length; i += 1 << bits)
        {
            _fast[i] = (ushort)((symbol << SymbolShift) | bits);
        }
    }

    private static HuffmanTable CreateFixedLiterals()
    {
        Span<byte> lengths = stackalloc byte[MaxSymbols];
        lengths[..144].Fill(8);
        lengths[144..256].Fill(9);
        lengths[256..280].Fill(7);
        lengths[280..].Fill(8);
        return Create(lengths);
    }

    private static HuffmanTable CreateFixedDistances()
    {
        Span<byte> lengths = stackalloc byte[32];
        lengths.Fill(5);
        return Create(lengths);
    }

    private static HuffmanTable Create(ReadOnlySpan<byte> lengths)
    {
        var table = new HuffmanTable();
        _ = table.TryBuild(lengths, mayBeIncomplete: false);
        return table;
    }
}
