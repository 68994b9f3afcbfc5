namespace Shockwave;

/// <summary>permessage-deflate (RFC 7692) for a connection.</summary>
/// <remarks>
/// Off by default: compressing secrets together with what an attacker chooses leaks them (CRIME, BREACH), and each dedicated compressor
/// costs up to 260 KiB. Without context takeover, the default, all connections of an owner share one compressor and one inflater.
/// </remarks>
public sealed class CompressionOptions
{
    /// <summary>Gets or sets whether permessage-deflate is negotiated.</summary>
    /// <value>Default <see langword="false"/>.</value>
    public bool Enabled { get; set; }

    /// <summary>Gets or sets from which size on a message is compressed, in bytes.</summary>
    /// <value>0 to <see cref="Array.MaxLength"/>; default 1 KiB.</value>
    public int ThresholdBytes { get; set; } = 1024;

    /// <summary>Gets or sets how hard to compress.</summary>
    /// <value>1 (fastest) to 9 (smallest); default 1.</value>
    public int Level { get; set; } = 1;

    /// <summary>Gets or sets whether our compressor may keep its window from message to message.</summary>
    /// <value>Default <see langword="false"/>. Costs up to 260 KiB for each connection that negotiates it.</value>
    public bool AllowContextTakeover { get; set; }

    /// <summary>Gets or sets whether the peer's compressor may keep its window from message to message.</summary>
    /// <value>Default <see langword="false"/>. Costs up to 40 KiB for each connection that negotiates it.</value>
    public bool AllowPeerContextTakeover { get; set; }

    /// <summary>Gets or sets the largest window of our compressor, as a power of two.</summary>
    /// <value>9 to 15; default 15.</value>
    public int MaxWindowBits { get; set; } = 15;
}
