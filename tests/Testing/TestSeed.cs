using System.Globalization;

namespace Shockwave.Testing;

/// <summary>The seed of a random test: another one each time, and printed, so that <c>SHOCKWAVE_SEED</c> can repeat the run.</summary>
public static class TestSeed
{
    /// <summary>Gets a seed and prints it.</summary>
    /// <param name="print">Where to.</param>
    public static int Choose(Action<string> print)
    {
        ArgumentNullException.ThrowIfNull(print);
        string? wanted = Environment.GetEnvironmentVariable("SHOCKWAVE_SEED");
        int seed = wanted is null ? Random.Shared.Next() : int.Parse(wanted, CultureInfo.InvariantCulture);
        print($"SHOCKWAVE_SEED={seed}");
        return seed;
    }
}
