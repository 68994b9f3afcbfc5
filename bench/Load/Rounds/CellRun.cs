using Shockwave.Load.Cells;
using Shockwave.Load.Results;

namespace Shockwave.Load.Rounds;

/// <summary>
/// Measures all servers in one cell. They all run from the first round to the last, idle while another is measured, and take turns in an
/// order that rotates: what drifts, and whoever comes first, hits all alike. The baseline runs twice, and how far the two are apart says
/// what the other rows are worth.
/// </summary>
internal sealed class CellRun(LoadSettings settings)
{
    private const double LeastSaturation = 0.86;
    private const int Attempts = 3;
    private static readonly TimeSpan _compilation = TimeSpan.FromSeconds(1.5);

    public async Task<IReadOnlyList<Series>> RunAsync(Cell cell, CancellationToken cancellationToken)
    {
        settings.Results.Create();
        var contenders = new List<Contender>();
        try
        {
            var baseline = settings.Servers[0];
            foreach (var (name, server) in settings.Servers.Select(server => (server.Name, server)).Append(($"{baseline.Name} again", baseline)))
            {
                contenders.Add(await Contender.StartAsync(name, server, cell, settings, cancellationToken));
            }

            return await MeasureAsync(cell, contenders, cancellationToken);
        }
        finally
        {
            foreach (var contender in contenders)
            {
                await contender.DisposeAsync();
            }
        }
    }

    private async Task<IReadOnlyList<Series>> MeasureAsync(Cell cell, List<Contender> contenders, CancellationToken cancellationToken)
    {
        // Code that the runtime compiles while it runs is at its best only after a while.
        foreach (var contender in contenders)
        {
            await contender.Client.MeasureAsync(_compilation, cancellationToken);
        }

        Series[] series = [.. contenders.Select(contender => new Series(contender.Server.Name))];
        for (int round = 0; round < settings.Rounds; round++)
        {
            foreach (int index in Order(round, contenders.Count))
            {
                series[index].Add(await MeasureSaturatedAsync(cell, contenders[index].Client, cancellationToken));
            }
        }

        return series;
    }

    // A Williams square: beside the place in the round, also the one before changes, so that nobody always comes behind the same neighbour,
    // whose compiler or collector may still be at work. An odd number needs the mirrored rows as well.
    private static IEnumerable<int> Order(int round, int count)
    {
        var row = Enumerable.Range(0, count).Select(turn => ((turn % 2 == 0 ? turn / 2 : count - 1 - (turn / 2)) + round) % count);
        return count % 2 == 1 && round / count % 2 == 1 ? row.Reverse() : row;
    }

    // When neither core was busy, somebody else had them.
    private async Task<Measurement> MeasureSaturatedAsync(Cell cell, LoadClient client, CancellationToken cancellationToken)
    {
        var best = await client.MeasureAsync(settings.Duration, cancellationToken);
        for (int attempt = 1; attempt < Attempts && cell.ShouldSaturate && best.Saturation < LeastSaturation; attempt++)
        {
            var again = await client.MeasureAsync(settings.Duration, cancellationToken);
            best = again.Saturation > best.Saturation ? again : best;
        }

        return best;
    }
}
