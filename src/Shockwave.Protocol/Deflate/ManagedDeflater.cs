using System.Buffers;
using System.IO.Compression;

namespace Shockwave.Protocol;

/// <summary>
/// Compresses with <see cref="DeflateStream"/>, whose window is always 32 KiB. Without context takeover each message costs a new stream.
/// </summary>
internal sealed class ManagedDeflater(int level, bool hasContextTakeover) : MessageDeflater
{
    // A buffer that one big message grew is not kept for the small ones after it.
    private const int MaxKeptBytes = 64 * 1024;

    private readonly MemoryStream _compressed = new();
    private DeflateStream? _stream;
    private bool _isDisposed;

    public override void Dispose()
    {
        _isDisposed = true;
        CloseStream();
    }

    protected override void Restart() => CloseStream();

    protected override void CompressCore(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (message.IsEmpty)
        {
            // The stream would write nothing at all.
            output.Write<byte>([0x00]);
            return;
        }

        _stream ??= new DeflateStream(_compressed, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true);
        _stream.Write(message);
        _stream.Flush();
        output.Write(_compressed.GetBuffer().AsSpan(0, (int)_compressed.Length - MessageInflater.Tail.Length));
        if (!hasContextTakeover)
        {
            CloseStream();
        }

        _compressed.SetLength(0);
        _compressed.Capacity = Math.Min(_compressed.Capacity, MaxKeptBytes);
    }

    private void CloseStream()
    {
        // The stream writes a last block when it is disposed, which belongs to no message.
        _stream?.Dispose();
        _stream = null;
        _compressed.SetLength(0);
    }
}
