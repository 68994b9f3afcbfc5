using System.Buffers;

namespace Shockwave.Protocol;

/// <summary>
/// Compresses whole messages into payloads (RFC 7692 §7.2.1). One thread at a time; whoever created it disposes it.
/// </summary>
/// <remarks>
/// Without context takeover every payload stands alone, so one deflater can serve any number of connections. With it, every payload must
/// reach the same peer in order.
/// </remarks>
internal abstract class MessageDeflater : IDisposable
{
    private bool _isInterrupted;

    /// <summary>Compresses <paramref name="message"/> and appends the payload, without its last four octets, to <paramref name="output"/>.</summary>
    /// <param name="message">The whole message. Empty gives the single octet 0x00 (§7.2.3.6).</param>
    /// <param name="output">Takes the payload; what it throws comes through, and the payload then counts as never written.</param>
    /// <exception cref="ObjectDisposedException">The deflater was disposed.</exception>
    /// <exception cref="InvalidOperationException"><paramref name="output"/> gave less room than it was asked for.</exception>
    public void Compress(ReadOnlySpan<byte> message, IBufferWriter<byte> output)
    {
        // A writer that threw has left half a message in the stream. It must not come out in front of the next one, which may be
        // another user's. A fresh window is always right: the peer's longer one is then merely not used.
        if (_isInterrupted)
        {
            Restart();
        }

        _isInterrupted = true;
        CompressCore(message, output);
        _isInterrupted = false;
    }

    /// <inheritdoc />
    public abstract void Dispose();

    /// <summary>Compresses one message.</summary>
    protected abstract void CompressCore(ReadOnlySpan<byte> message, IBufferWriter<byte> output);

    /// <summary>Drops the stream with all that is in it for a new one.</summary>
    protected abstract void Restart();
}
