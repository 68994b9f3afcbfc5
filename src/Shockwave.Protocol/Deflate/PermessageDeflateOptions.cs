namespace Shockwave.Protocol;

/// <summary>What this endpoint wants of permessage-deflate (RFC 7692). Not thread-safe; copied and checked when negotiation is set up.</summary>
/// <remarks>
/// Compression of a secret together with text that an attacker chooses lets the attacker guess the secret by the length of the message.
/// Do not compress messages that have both.
/// </remarks>
public sealed class PermessageDeflateOptions
{
    /// <summary>Gets or sets whether the server may refer to its earlier messages.</summary>
    /// <value>Default <see langword="false"/>: messages stand alone, and connections share their compressors.</value>
    /// <remarks>Better compression of small messages, for up to 280 KiB in the server and 40 KiB in the client per connection.</remarks>
    public bool AllowServerContextTakeover { get; set; }

    /// <summary>Gets or sets whether the client may refer to its earlier messages.</summary>
    /// <value>Default <see langword="false"/>: messages stand alone, and connections share their decompressors.</value>
    /// <remarks>Better compression of small messages, for about 40 KiB in the server and up to 280 KiB in the client per connection.</remarks>
    public bool AllowClientContextTakeover { get; set; }

    /// <summary>Gets or sets the largest window that the server compresses with, as a power of two.</summary>
    /// <value>9 to 15; default 15, which is 32 KiB. A <see cref="DeflateProvider.MinWindowBits"/> above it wins.</value>
    /// <remarks>RFC 7692 also has 8, which zlib cannot do: an offer that asks for it is declined.</remarks>
    public int ServerMaxWindowBits { get; set; } = 15;

    /// <summary>Gets or sets the largest window that the client compresses with, as a power of two.</summary>
    /// <value>9 to 15; default 15, which is 32 KiB.</value>
    /// <remarks>
    /// A client that does not let the server choose its window, while the server wants a smaller one, is told to use no context
    /// takeover: then it costs no memory between messages.
    /// </remarks>
    public int ClientMaxWindowBits { get; set; } = 15;

    /// <summary>Gets or sets how hard to compress. A matter of this endpoint only; it is not negotiated.</summary>
    /// <value>1, the fastest, to 9, the smallest; default 1.</value>
    public int CompressionLevel { get; set; } = 1;
}
