using System.Buffers;

namespace Shockwave.Protocol;

/// <summary>Decompresses with the runtime's zlib. Allocates nothing after it was created.</summary>
internal sealed class NativeInflater(int windowBits) : MessageInflater
{
    private readonly ZlibStream _stream = ZlibStream.OpenInflate(windowBits);

    // One decompressed octet ahead of the caller: the only way to learn from zlib whether a full destination was also the end.
    private byte _spill;
    private bool _hasSpill;

    private bool _hasStarted;
    private bool _hasFailed;

    // The octets the sender removed and one more, which a well-formed message leaves unread.
    private static ReadOnlySpan<byte> TailAndSentinel => [0x00, 0x00, 0xFF, 0xFF, 0x00];

    public override OperationStatus Inflate(
        ReadOnlySpan<byte> source, Span<byte> destination, bool isFinal, out int bytesConsumed, out int bytesWritten)
    {
        ObjectDisposedException.ThrowIf(_stream.IsClosed, this);
        bytesConsumed = 0;
        bytesWritten = 0;
        if (_hasFailed)
        {
            return OperationStatus.InvalidData;
        }

        if (_hasSpill)
        {
            if (destination.IsEmpty)
            {
                return OperationStatus.DestinationTooSmall;
            }

            destination[0] = _spill;
            bytesWritten = 1;
            _hasSpill = false;
        }

        _hasStarted |= !source.IsEmpty;
        OperationStatus status = Run(source, destination, ref bytesConsumed, ref bytesWritten);
        if (status == OperationStatus.NeedMoreData && isFinal)
        {
            status = Finish();
        }

        _hasFailed = status == OperationStatus.InvalidData;
        return status;
    }

    public override void Reset()
    {
        _stream.ResetInflate(windowBits);
        _hasSpill = false;
        _hasStarted = false;
        _hasFailed = false;
    }

    public override void Dispose() => _stream.Dispose();

    private OperationStatus Run(ReadOnlySpan<byte> source, Span<byte> destination, ref int bytesConsumed, ref int bytesWritten)
    {
        while (true)
        {
            bool isFull = bytesWritten == destination.Length;
            Span<byte> room = isFull ? new Span<byte>(ref _spill) : destination[bytesWritten..];
            int code = _stream.Run(source[bytesConsumed..], room, ZlibStream.NoFlush, out int consumed, out int written);
            bytesConsumed += consumed;
            _hasSpill = isFull && written != 0;
            bytesWritten += isFull ? 0 : written;
            if (code == ZlibStream.StreamEnd)
            {
                // BFINAL. Zero octets may have been consumed, but only where the block before was ended by the tail of the last message.
                _stream.ResetInflate(windowBits);
            }
            else if (code is not (ZlibStream.Ok or ZlibStream.BufferError))
            {
                return OperationStatus.InvalidData;
            }

            if (_hasSpill)
            {
                return OperationStatus.DestinationTooSmall;
            }

            // zlib stops with room left only at the end of its input or of the stream.
            if (written < room.Length && bytesConsumed == source.Length)
            {
                return OperationStatus.NeedMoreData;
            }
        }
    }

    private OperationStatus Finish()
    {
        if (!_hasStarted)
        {
            return OperationStatus.Done;
        }

        _hasStarted = false;

        // Told to stop at the end of a block, zlib stops after exactly these four octets if they were the lengths of an empty stored
        // block. Everything else takes the sentinel too, stops earlier, or makes data of them: a truncated message. (All but a block
        // contrived to end its code tables and itself within these four; zlib does not show that one, and nothing becomes data by it.)
        int code = _stream.Run(TailAndSentinel, new Span<byte>(ref _spill), ZlibStream.Block, out int consumed, out int written);
        return code == ZlibStream.Ok && consumed == Tail.Length && written == 0 ? OperationStatus.Done : OperationStatus.InvalidData;
    }
}
