using Shockwave.Protocol;

namespace Shockwave.Conformance;

/// <summary>Bytes from a client that a server must fail the connection for.</summary>
/// <param name="Name">What is wrong with them.</param>
/// <param name="Code">The code in the Close frame that answers them.</param>
/// <param name="Bytes">What the client sends, in whatever pieces, after a message that is answered and before others that are not.</param>
/// <param name="IsCompressionOn">Whether permessage-deflate was agreed on, without context takeover.</param>
internal sealed record IllegalFrame(string Name, CloseCode Code, byte[] Bytes, bool IsCompressionOn = false)
{
    /// <summary>What the peer may send at most; the table depends on it.</summary>
    public static readonly MessageLimits Limits = new(MaxMessageBytes: 4096, MaxFrameBytes: 2048, MaxFragmentsPerMessage: 16);
}
