namespace Shockwave.Protocol;

/// <summary>The fallback on public API only.</summary>
/// <param name="reason">Why it is used.</param>
internal sealed class ManagedZlib(string reason) : DeflateProvider($"fallback, compresses with window bits 15 only: {reason}")
{
    public override int MinWindowBits => MaxWindowBits;

    internal override MessageInflater CreateInflater(int windowBits) => new ManagedInflater(Math.Max(windowBits, 9));

    internal override MessageDeflater CreateDeflater(int level, int windowBits, bool hasContextTakeover) =>
        new ManagedDeflater(level, hasContextTakeover);
}
