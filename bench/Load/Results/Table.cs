using System.Globalization;
using Shockwave.Load.Cells;

namespace Shockwave.Load.Results;

/// <summary>What a run prints: medians, and behind each ratio the middle half of its rounds.</summary>
internal static class Table
{
    private const double Trustworthy = 0.03;

    public static void Write(TextWriter writer, Cell cell, IReadOnlyList<Series> servers)
    {
        var baseline = servers[0];
        writer.WriteLine($"{cell}, {baseline.Rounds.Count} rounds");
        writer.WriteLine($"  {"",-16} {"k/s",9} {"ratio",6} {"middle half",-13} {"us CPU",8} {"ratio",6} {"p50 us",9} {"p99 us",9} {"server",6} {"client",6} {"others",6}");
        foreach (var server in servers)
        {
            double[] throughput = server.ThroughputOver(baseline);
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {server.Name,-16} {server.Median(round => round.MessagesPerSecond) / 1000,9:0.0} {Quantile.Of(throughput, 0.5),6:0.000} {$"{Quantile.Of(throughput, 0.25):0.000}-{Quantile.Of(throughput, 0.75):0.000}",-13} {server.Median(round => round.ServerMicroseconds),8:0.000} {Quantile.Of(server.EconomyOver(baseline), 0.5),6:0.000} {Time(server.Median(round => round.P50Microseconds)),9} {Time(server.Median(round => round.P99Microseconds)),9} {server.Median(round => round.ServerBusy),6:0 %} {server.Median(round => round.ClientBusy),6:0 %} {server.Median(round => round.OthersBusy),6:0 %}{(server.WasLimitedByClient ? "  the client was the limit" : "")}"));
        }

        double apart = Math.Abs(Quantile.Of(servers[^1].ThroughputOver(baseline), 0.5) - 1);
        if (apart > Trustworthy)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  The same server twice was {apart:0.0 %} apart: run this cell again."));
        }

        writer.WriteLine();
    }

    public static void WriteSummary(TextWriter writer, IReadOnlyList<(Cell Cell, IReadOnlyList<Series> Servers)> results)
    {
        if (results.Count < 2)
        {
            return;
        }

        writer.WriteLine($"{results.Count} cells, over {results[0].Servers[0].Name}: geometric mean and lowest");
        for (int i = 1; i < results[0].Servers.Count; i++)
        {
            double[] medians = [.. results.Select(result => Quantile.Of(result.Servers[i].ThroughputOver(result.Servers[0]), 0.5))];
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {results[0].Servers[i].Name,-16} {Math.Exp(medians.Average(Math.Log)),6:0.000} {medians.Min(),6:0.000}"));
        }
    }

    // A fan-out that takes longer than a measurement has no time of its own.
    private static string Time(double microseconds) => microseconds > 0 ? microseconds.ToString("0.0", CultureInfo.InvariantCulture) : "-";
}
