namespace Shockwave.Protocol.Tests;

// A zlib that does not do what it is told: it keeps its history, or its window, whatever is asked.
internal sealed class BrokenProvider(bool? hasContextTakeover = null, int? windowBits = null, bool isDeaf = false) : DeflateProvider("broken")
{
    public override int MinWindowBits => 9;

    internal override MessageInflater CreateInflater(int bits) => new NativeInflater(isDeaf ? 9 : 15);

    internal override MessageDeflater CreateDeflater(int level, int bits, bool takeover) =>
        new NativeDeflater(level, windowBits ?? bits, hasContextTakeover ?? takeover);
}
