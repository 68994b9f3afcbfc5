namespace Shockwave.Conformance;

/// <summary>What a client sends on one connection, and in which pieces it arrives.</summary>
internal sealed record GeneratedStream(byte[] Bytes, int[] Chunks, StreamExtension Extension);

/// <summary>What was negotiated.</summary>
internal enum StreamExtension
{
    None,
    Deflate,
    DeflateWithContextTakeover,
}
