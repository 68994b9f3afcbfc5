namespace Shockwave.Testing;

/// <summary>Seeded chance, fast enough to be asked at every step of a million runs (SplitMix64).</summary>
internal sealed class Dice(int seed)
{
    private ulong _state = (ulong)seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03;

    /// <summary>Gets a number from 0 to below a limit.</summary>
    public int Below(int limit)
    {
        ulong x = _state += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return (int)(((x ^ (x >> 31)) >> 32) * (ulong)limit >> 32);
    }

    /// <summary>Gets a number between two, both included.</summary>
    public int Between(int first, int last) => first + Below(last - first + 1);

    /// <summary>Is true once in so many times; never for 0.</summary>
    public bool OneIn(int count) => count > 0 && Below(count) == 0;
}
