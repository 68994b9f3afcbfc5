using Shockwave.Load.Rounds;

namespace Shockwave.Load.Results;

/// <summary>One server's rounds in one cell.</summary>
internal sealed class Series(string name)
{
    // Above this share a core has nothing left.
    private const double Full = 0.95;

    private readonly List<Measurement> _rounds = [];

    public string Name { get; } = name;

    public IReadOnlyList<Measurement> Rounds => _rounds;

    /// <summary>Gets whether the client had no time left while the server had: then the server is faster than its figure.</summary>
    public bool WasLimitedByClient => Median(round => round.ServerBusy) < Full && Median(round => round.ClientBusy) >= Full;

    public void Add(Measurement measurement) => _rounds.Add(measurement);

    public double Median(Func<Measurement, double> value) => Quantile.Of(_rounds.Select(value), 0.5);

    /// <summary>This server's throughput over the baseline's, round by round.</summary>
    public double[] ThroughputOver(Series baseline) => RatiosTo(baseline, (own, other) => own.MessagesPerSecond / other.MessagesPerSecond);

    /// <summary>The baseline's processor time for a message over this server's, round by round: above 1 this server needs less.</summary>
    public double[] EconomyOver(Series baseline) => RatiosTo(baseline, (own, other) => other.ServerMicroseconds / own.ServerMicroseconds);

    private double[] RatiosTo(Series baseline, Func<Measurement, Measurement, double> ratio) => [.. _rounds.Zip(baseline._rounds, ratio)];
}
