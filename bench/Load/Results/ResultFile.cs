using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Shockwave.Load.Cells;

namespace Shockwave.Load.Results;

/// <summary>All rounds of all cells, with the machine and the commands, in one JSON file; rewritten after each cell, so that a broken run leaves what it has.</summary>
internal sealed class ResultFile(LoadSettings settings, TimeProvider time)
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

    private readonly DateTimeOffset _start = time.GetUtcNow();
    private readonly List<(Cell Cell, IReadOnlyList<Series> Servers)> _results = [];

    public string Path => System.IO.Path.Combine(settings.Results.FullName, $"load-{_start.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}.json");

    public IReadOnlyList<(Cell Cell, IReadOnlyList<Series> Servers)> Results => _results;

    public void Add(Cell cell, IReadOnlyList<Series> servers)
    {
        _results.Add((cell, servers));
        var content = new
        {
            _start,
            Machine = new { Processor = ProcessorName(), Kernel = Environment.OSVersion.VersionString, Runtime = Environment.Version.ToString() },
            settings.Servers,
            Cells = _results.Select(result => new
            {
                result.Cell,
                Servers = result.Servers.Select(server => new
                {
                    server.Name,
                    Throughput = Quantile.Of(server.ThroughputOver(result.Servers[0]), 0.5),
                    Economy = Quantile.Of(server.EconomyOver(result.Servers[0]), 0.5),
                    server.WasLimitedByClient,
                    server.Rounds,
                }),
            }),
        };
        File.WriteAllText(Path, JsonSerializer.Serialize(content, _json));
    }

    private static string ProcessorName() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
}
