using System.Buffers;

namespace Shockwave.Protocol;

/// <summary>
/// Decompresses without native code (RFC 1951): for where the runtime's zlib cannot be used, and the twin that it is tested against.
/// </summary>
/// <remarks>
/// <see cref="System.IO.Compression.DeflateStream"/> cannot do it: it does not tell a truncated block from an end, swallows what follows
/// a block with BFINAL, and throws between two parts of a message when the process sets <c>System.IO.Compression.UseStrictValidation</c>.
/// </remarks>
internal sealed class ManagedInflater(int windowBits) : MessageInflater
{
    private const int EndOfBlock = 256;
    private const int FirstLength = 257;
    private const int LengthSymbols = 29;
    private const int DistanceSymbols = 30;
    private const int MaxLiteralLengths = 286;
    private const int CodeLengthLengths = 19;

    // RFC 1951 §3.2.5. Arrays, as a span over constants of two octets allocates where the code is not optimised.
    private static readonly ushort[] _lengthBase =
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

    private static readonly ushort[] _distanceBase =
    [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
        1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ];

    private readonly HuffmanTable _codeLengths = new();
    private readonly HuffmanTable _dynamicLiterals = new();
    private readonly HuffmanTable _dynamicDistances = new();
    private readonly byte[] _lengths = new byte[MaxLiteralLengths + DistanceSymbols];
    private readonly byte[] _window = new byte[1 << windowBits];

    private HuffmanTable _literals = HuffmanTable.FixedLiterals;
    private HuffmanTable _distances = HuffmanTable.FixedDistances;

    private State _state;
    private bool _isLastBlock;
    private bool _hasStarted;
    private bool _isDisposed;

    // Octets taken from the source whose bits are not used up, the next bit lowest.
    private ulong _bits;
    private int _bitCount;

    // Where the next octet goes and how many of this stream can be referred to.
    private int _windowPosition;
    private int _windowFill;

    private int _literalCount;
    private int _distanceCount;
    private int _codeLengthCount;
    private int _lengthsRead;

    // The symbol whose extra bits are read; the octets to copy and from how far back. In Literal, the symbol is the octet.
    private int _symbol;
    private int _length;
    private int _distance;

    private enum State : byte
    {
        BlockHeader,
        StoredLength,
        Stored,
        DynamicHeader,
        CodeLengths,
        Lengths,
        Symbol,
        Literal,
        LengthExtra,
        Distance,
        DistanceExtra,
        Copy,
        Failed,
    }

    // RFC 1951 §3.2.7: the order in which the lengths of the code length code come.
    private static ReadOnlySpan<byte> CodeLengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    // RFC 1951 §3.2.5.
    private static ReadOnlySpan<byte> LengthExtraBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    public override OperationStatus Inflate(
        ReadOnlySpan<byte> source, Span<byte> destination, bool isFinal, out int bytesConsumed, out int bytesWritten)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _hasStarted |= !source.IsEmpty;
        bytesConsumed = 0;
        bytesWritten = 0;
        OperationStatus status;
        do
        {
            status = Step(source, destination, ref bytesConsumed, ref bytesWritten);
        }
        while (status == OperationStatus.Done);

        if (status == OperationStatus.NeedMoreData && isFinal)
        {
            status = Finish();
        }

        _state = status == OperationStatus.InvalidData ? State.Failed : _state;
        return status;
    }

    public override void Reset()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _bits = 0;
        _bitCount = 0;
        _hasStarted = false;
        StartStream();
    }

    public override void Dispose() => _isDisposed = true;

    private OperationStatus Finish()
    {
        if (!_hasStarted)
        {
            return OperationStatus.Done;
        }

        _hasStarted = false;
        if (_state != State.StoredLength || _bitCount != 0)
        {
            return OperationStatus.InvalidData;
        }

        EndBlock();
        return OperationStatus.Done;
    }

    // One step forward: Done if it was taken, otherwise what it wants.
    private OperationStatus Step(ReadOnlySpan<byte> source, Span<byte> destination, ref int consumed, ref int written) => _state switch
    {
        State.BlockHeader => ReadBlockHeader(source, ref consumed),
        State.StoredLength => ReadStoredLength(source, ref consumed),
        State.Stored => CopyStored(source, destination, ref consumed, ref written),
        State.DynamicHeader => ReadDynamicHeader(source, ref consumed),
        State.CodeLengths => ReadCodeLengths(source, ref consumed),
        State.Lengths => ReadLengths(source, ref consumed),
        State.Symbol => ReadSymbols(source, destination, ref consumed, ref written),
        State.Literal => WriteLiteral(destination, ref written),
        State.LengthExtra => ReadLengthExtra(source, ref consumed),
        State.Distance => ReadDistance(source, ref consumed),
        State.DistanceExtra => ReadDistanceExtra(source, ref consumed),
        State.Copy => CopyMatch(destination, ref written),
        _ => OperationStatus.InvalidData,
    };

    private OperationStatus ReadBlockHeader(ReadOnlySpan<byte> source, ref int consumed)
    {
        if (!TryRead(3, source, ref consumed, out int header))
        {
            return OperationStatus.NeedMoreData;
        }

        _isLastBlock = (header & 1) != 0;
        switch (header >> 1)
        {
            case 0:
                DropToOctetBoundary();
                _state = State.StoredLength;
                return OperationStatus.Done;
            case 1:
                _literals = HuffmanTable.FixedLiterals;
                _distances = HuffmanTable.FixedDistances;
                _state = State.Symbol;
                return OperationStatus.Done;
            case 2:
                _literals = _dynamicLiterals;
                _distances = _dynamicDistances;
                _state = State.DynamicHeader;
                return OperationStatus.Done;
            default:
                return OperationStatus.InvalidData;
        }
    }

    private OperationStatus ReadStoredLength(ReadOnlySpan<byte> source, ref int consumed)
    {
        if (!TryFill(32, source, ref consumed))
        {
            return OperationStatus.NeedMoreData;
        }

        _length = Take(16);
        _state = State.Stored;

        // RFC 1951 §3.2.4: the length comes twice, the second time with all bits inverted.
        return (_length ^ Take(16)) == 0xFFFF ? OperationStatus.Done : OperationStatus.InvalidData;
    }

    private OperationStatus CopyStored(ReadOnlySpan<byte> source, Span<byte> destination, ref int consumed, ref int written)
    {
        while (_length > 0)
        {
            // Room is asked for only with the octet at hand, so that a full destination is never called too small for nothing.
            if (!TryFill(8, source, ref consumed))
            {
                return OperationStatus.NeedMoreData;
            }

            if (written == destination.Length)
            {
                return OperationStatus.DestinationTooSmall;
            }

            Write((byte)Take(8), destination, ref written);
            _length--;
        }

        EndBlock();
        return OperationStatus.Done;
    }

    private OperationStatus ReadDynamicHeader(ReadOnlySpan<byte> source, ref int consumed)
    {
        if (!TryFill(14, source, ref consumed))
        {
            return OperationStatus.NeedMoreData;
        }

        _literalCount = Take(5) + 257;
        _distanceCount = Take(5) + 1;
        _codeLengthCount = Take(4) + 4;
        _lengthsRead = 0;
        Array.Clear(_lengths);
        _state = State.CodeLengths;
        return _literalCount <= MaxLiteralLengths && _distanceCount <= DistanceSymbols ? OperationStatus.Done : OperationStatus.InvalidData;
    }

    private OperationStatus ReadCodeLengths(ReadOnlySpan<byte> source, ref int consumed)
    {
        while (_lengthsRead < _codeLengthCount)
        {
            if (!TryRead(3, source, ref consumed, out int length))
            {
                return OperationStatus.NeedMoreData;
            }

            _lengths[CodeLengthOrder[_lengthsRead++]] = (byte)length;
        }

        _lengthsRead = 0;
        _state = State.Lengths;
        return _codeLengths.TryBuild(_lengths.AsSpan(0, CodeLengthLengths), mayBeIncomplete: false)
            ? OperationStatus.Done
            : OperationStatus.InvalidData;
    }

    private OperationStatus ReadLengths(ReadOnlySpan<byte> source, ref int consumed)
    {
        int total = _literalCount + _distanceCount;
        while (_lengthsRead < total)
        {
            int symbol = Decode(_codeLengths, source, ref consumed, out int codeBits);
            if (symbol < 0)
            {
                return OperationStatus.NeedMoreData;
            }

            int extraBits = symbol switch { < 16 => 0, 16 => 2, 17 => 3, _ => 7 };
            if (!TryFill(codeBits + extraBits, source, ref consumed))
            {
                return OperationStatus.NeedMoreData;
            }

            _ = Take(codeBits);
            int repeat = symbol switch { < 16 => 1, 18 => 11, _ => 3 } + Take(extraBits);
            if (repeat > total - _lengthsRead || (symbol == 16 && _lengthsRead == 0))
            {
                return OperationStatus.InvalidData;
            }

            byte length = symbol switch { < 16 => (byte)symbol, 16 => _lengths[_lengthsRead - 1], _ => 0 };
            _lengths.AsSpan(_lengthsRead, repeat).Fill(length);
            _lengthsRead += repeat;
        }

        _state = State.Symbol;
        return _lengths[EndOfBlock] != 0
            && _dynamicLiterals.TryBuild(_lengths.AsSpan(0, _literalCount), mayBeIncomplete: true)
            && _dynamicDistances.TryBuild(_lengths.AsSpan(_literalCount, _distanceCount), mayBeIncomplete: true)
                ? OperationStatus.Done
                : OperationStatus.InvalidData;
    }

    private OperationStatus ReadSymbols(ReadOnlySpan<byte> source, Span<byte> destination, ref int consumed, ref int written)
    {
        while (true)
        {
            int symbol = Decode(_literals, source, ref consumed, out int codeBits);
            if (symbol < 0)
            {
                return symbol == HuffmanTable.Incomplete ? OperationStatus.NeedMoreData : OperationStatus.InvalidData;
            }

            _ = Take(codeBits);
            if (symbol < EndOfBlock && written < destination.Length)
            {
                Write((byte)symbol, destination, ref written);
                continue;
            }

            if (symbol == EndOfBlock)
            {
                EndBlock();
                return OperationStatus.Done;
            }

            _state = symbol < EndOfBlock ? State.Literal : State.LengthExtra;
            _symbol = symbol < EndOfBlock ? symbol : symbol - FirstLength;
            return _state == State.Literal || _symbol < LengthSymbols ? OperationStatus.Done : OperationStatus.InvalidData;
        }
    }

    private OperationStatus WriteLiteral(Span<byte> destination, ref int written)
    {
        if (written == destination.Length)
        {
            return OperationStatus.DestinationTooSmall;
        }

        Write((byte)_symbol, destination, ref written);
        _state = State.Symbol;
        return OperationStatus.Done;
    }

    private OperationStatus ReadLengthExtra(ReadOnlySpan<byte> source, ref int consumed)
    {
        if (!TryRead(LengthExtraBits[_symbol], source, ref consumed, out int extra))
        {
            return OperationStatus.NeedMoreData;
        }

        _length = _lengthBase[_symbol] + extra;
        _state = State.Distance;
        return OperationStatus.Done;
    }

    private OperationStatus ReadDistance(ReadOnlySpan<byte> source, ref int consumed)
    {
        _symbol = Decode(_distances, source, ref consumed, out int codeBits);
        if (_symbol == HuffmanTable.Incomplete)
        {
            return OperationStatus.NeedMoreData;
        }

        _ = Take(codeBits);
        _state = State.DistanceExtra;
        return (uint)_symbol < DistanceSymbols ? OperationStatus.Done : OperationStatus.InvalidData;
    }

    private OperationStatus ReadDistanceExtra(ReadOnlySpan<byte> source, ref int consumed)
    {
        // The distances double with every second symbol from the fourth on.
        if (!TryRead(Math.Max((_symbol >> 1) - 1, 0), source, ref consumed, out int extra))
        {
            return OperationStatus.NeedMoreData;
        }

        _distance = _distanceBase[_symbol] + extra;
        _state = State.Copy;

        // Also what keeps one message from reading another one's octets out of a window that was reset.
        return _distance <= _windowFill ? OperationStatus.Done : OperationStatus.InvalidData;
    }

    private OperationStatus CopyMatch(Span<byte> destination, ref int written)
    {
        int mask = _window.Length - 1;
        while (_length > 0)
        {
            if (written == destination.Length)
            {
                return OperationStatus.DestinationTooSmall;
            }

            Write(_window[(_windowPosition - _distance) & mask], destination, ref written);
            _length--;
        }

        _state = State.Symbol;
        return OperationStatus.Done;
    }

    private void EndBlock()
    {
        _state = State.BlockHeader;
        if (_isLastBlock)
        {
            DropToOctetBoundary();
            StartStream();
        }
    }

    private void StartStream()
    {
        _state = State.BlockHeader;
        _isLastBlock = false;
        _windowFill = 0;
    }

    private void Write(byte value, Span<byte> destination, ref int written)
    {
        destination[written++] = value;
        _window[_windowPosition] = value;
        _windowPosition = (_windowPosition + 1) & (_window.Length - 1);
        _windowFill = Math.Min(_windowFill + 1, _window.Length);
    }

    private int Decode(HuffmanTable table, ReadOnlySpan<byte> source, ref int consumed, out int codeBits)
    {
        // One octet at a time, so that no more of the source is taken than the message needs.
        int symbol;
        while ((symbol = table.Decode(_bits, _bitCount, out codeBits)) == HuffmanTable.Incomplete)
        {
            if (!TryFill(_bitCount + 1, source, ref consumed))
            {
                return HuffmanTable.Incomplete;
            }
        }

        return symbol;
    }

    private bool TryRead(int count, ReadOnlySpan<byte> source, ref int consumed, out int value)
    {
        bool isFilled = TryFill(count, source, ref consumed);
        value = isFilled ? Take(count) : 0;
        return isFilled;
    }

    private bool TryFill(int count, ReadOnlySpan<byte> source, ref int consumed)
    {
        while (_bitCount < count)
        {
            if (consumed == source.Length)
            {
                return false;
            }

            _bits |= (ulong)source[consumed++] << _bitCount;
            _bitCount += 8;
        }

        return true;
    }

    private int Take(int count)
    {
        int value = (int)(_bits & ((1UL << count) - 1));
        _bits >>= count;
        _bitCount -= count;
        return value;
    }

    private void DropToOctetBoundary() => _ = Take(_bitCount & 7);
}
