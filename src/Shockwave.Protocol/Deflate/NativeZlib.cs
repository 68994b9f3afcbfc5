namespace Shockwave.Protocol;

/// <summary>The zlib that .NET carries, without the streams around it.</summary>
internal sealed class NativeZlib() : DeflateProvider("zlib of the .NET runtime, window bits 9 to 15")
{
    // RFC 7692 allows 8, but raw DEFLATE in zlib does not have it: its search needs to look further ahead than 256 octets.
    private const int SmallestWindowBits = 9;

    public override int MinWindowBits => SmallestWindowBits;

    internal override MessageInflater CreateInflater(int windowBits) => new NativeInflater(Math.Max(windowBits, SmallestWindowBits));

    internal override MessageDeflater CreateDeflater(int level, int windowBits, bool hasContextTakeover) =>
        new NativeDeflater(level, windowBits, hasContextTakeover);
}
