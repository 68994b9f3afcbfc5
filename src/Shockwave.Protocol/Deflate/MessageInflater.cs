using System.Buffers;

namespace Shockwave.Protocol;

/// <summary>
/// Decompresses the payloads of compressed messages (RFC 7692 §7.2.2), part by part, into memory that the caller bounds.
/// One thread at a time; whoever created or rented it disposes or returns it.
/// </summary>
/// <remarks>
/// <para>A message ends well in the header of an empty stored block, whose remaining four octets the sender has removed (§7.2.1). A
/// payload that ends anywhere else is refused, also where those octets would complete it: no octet that the peer did not send ever
/// becomes data. The one exception is a payload of no octets at all, which is an empty message.</para>
/// <para>A block with BFINAL set ends a DEFLATE stream, and the octet after it starts another one. The new stream starts with an
/// empty window, also under context takeover: RFC 1951 knows no reference across streams.</para>
/// <para>The window is the one agreed, 512 octets to 32 KiB. A peer that refers back further than agreed may be refused or understood;
/// nothing but its own earlier octets can be reached either way.</para>
/// </remarks>
internal abstract class MessageInflater : IDisposable
{
    /// <summary>The octets that the sender removed from the end of every message (RFC 7692 §7.2.1).</summary>
    internal static ReadOnlySpan<byte> Tail => [0x00, 0x00, 0xFF, 0xFF];

    /// <summary>The pool that lent this one; <see langword="null"/> for one that is not on loan.</summary>
    internal SharedDeflate? RentedFrom { get; set; }

    /// <summary>Decompresses as much of a message as fits.</summary>
    /// <param name="source">The next part of the message's payload, unmasked; after <c>DestinationTooSmall</c> what is left of it.</param>
    /// <param name="destination">Where the decompressed octets go. May be empty. What is behind the octets written is undefined.</param>
    /// <param name="isFinal">Whether <paramref name="source"/> ends the message.</param>
    /// <param name="bytesConsumed">The octets of <paramref name="source"/> that need not be passed again.</param>
    /// <param name="bytesWritten">The octets written to <paramref name="destination"/>; defined with every result.</param>
    /// <returns>
    /// <c>Done</c>: the message is complete. <c>NeedMoreData</c>: all consumed and all written, but not final.
    /// <c>DestinationTooSmall</c>: at least one octet more is to be written; call again.
    /// <c>InvalidData</c>: corrupt, truncated, or with something behind its end; so is every call until <see cref="Reset"/>.
    /// Never throws on what the peer sent.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The inflater was disposed.</exception>
    public abstract OperationStatus Inflate(
        ReadOnlySpan<byte> source, Span<byte> destination, bool isFinal, out int bytesConsumed, out int bytesWritten);

    /// <summary>Forgets everything: at the start of each message where there is no context takeover, and after a message given up.</summary>
    /// <exception cref="ObjectDisposedException">The inflater was disposed.</exception>
    public abstract void Reset();

    /// <inheritdoc />
    public abstract void Dispose();
}
