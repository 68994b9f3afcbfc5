using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;

namespace Shockwave.Protocol;

/// <summary>Compresses with the runtime's zlib. Allocates nothing after it was created.</summary>
internal sealed class NativeDeflater(int level, int windowBits, bool hasContextTakeover) : MessageDeflater
{
    private const int TailBytes = 4;
    private const uint Tail = 0xFFFF0000;

    // zlib needs more than 6 octets free or it repeats its flush marker; the rest is for the block that ends the message.
    private const int MinSpanBytes = 64;
    private const int MaxSpanHintBytes = 16 * 1024;

    private ZlibStream _stream = Open(level, windowBits);

    public override void Dispose() => _stream.Dispose();

    protected override void Restart()
    {
        ObjectDisposedException.ThrowIf(_stream.IsClosed, this);
        _stream.Dispose();
        _stream = Open(level, windowBits);
    }

    protected override void CompressCore(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        ObjectDisposedException.ThrowIf(_stream.IsClosed, this);
        if (message.IsEmpty)
        {
            output.Write<byte>([0x00]);
            return;
        }

        // There is no export that resets a deflate stream. A full flush forgets the history instead, which takes no memory either.
        int flush = hasContextTakeover ? ZlibStream.SyncFlush : ZlibStream.FullFlush;

        // The last four octets are held back from one span to the next: only the end shows that they are the tail to be removed.
        uint held = 0;
        int heldBytes = 0;
        while (true)
        {
            Span<byte> span = output.GetSpan(Math.Min(message.Length, MaxSpanHintBytes) + MinSpanBytes);
            if (span.Length < MinSpanBytes)
            {
                // Left without room, zlib would keep this loop going for ever.
                throw new InvalidOperationException("The writer gave less room than it was asked for.");
            }

            BinaryPrimitives.WriteUInt32LittleEndian(span, held);
            int code = _stream.Run(message, span[heldBytes..], flush, out int consumed, out int written);
            Debug.Assert(code == ZlibStream.Ok);
            message = message[consumed..];
            int length = heldBytes + written;
            held = BinaryPrimitives.ReadUInt32LittleEndian(span[(length - TailBytes)..]);
            output.Advance(length - TailBytes);
            if (length < span.Length)
            {
                Debug.Assert(held == Tail);
                return;
            }

            heldBytes = TailBytes;
        }
    }

    // The memory level follows the window, as memory is what a smaller window was asked for: 8 for 15 bits, 4 from 11 bits down.
    private static ZlibStream Open(int level, int windowBits) =>
        ZlibStream.OpenDeflate(level, windowBits, Math.Max(windowBits - 7, 4));
}
