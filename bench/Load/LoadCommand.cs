using System.CommandLine;
using Shockwave.Load.Cells;
using Shockwave.Load.Results;
using Shockwave.Load.Rounds;
using Shockwave.Load.Servers;

namespace Shockwave.Load;

/// <summary>The command line: which servers, which cells, how long.</summary>
internal static class LoadCommand
{
    private static readonly Option<string[]> _servers = new("--server")
    {
        Description = $"{string.Join(", ", KnownServer.All.Select(server => server.Name))}, or name=command with {{port}} in it for any other; may be repeated.",
        DefaultValueFactory = _ => [.. KnownServer.All.Select(server => server.Name)],
    };

    private static readonly Option<string?> _baseline = new("--baseline") { Description = "The server that the others are compared with; by default the first." };

    private static readonly Option<string> _cells = new("--cells")
    {
        Description = "BYTESxCONNECTIONS, separated by commas.",
        DefaultValueFactory = _ => "20x100",
    };

    private static readonly Option<int> _inFlight = new("--inflight")
    {
        Description = "Messages under way on each connection.",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<bool> _fanOut = new("--fanout")
    {
        Description = "One publisher, a cell's connections as subscribers; counts deliveries. --inflight is then how many are published at once.",
    };

    private static readonly Option<int> _rounds = new("--rounds") { Description = "Rounds; every server is measured once in each.", DefaultValueFactory = _ => 51 };

    private static readonly Option<double?> _seconds = new("--seconds") { Description = "How long one measurement takes; by default 0.15, for fan-out 0.5." };

    private static readonly Option<double> _warmup = new("--warmup") { Description = "Seconds under load before each measurement.", DefaultValueFactory = _ => 0.05 };

    private static readonly Option<string> _client = new("--client")
    {
        Description = "The program compiled from Native/load.c.",
        DefaultValueFactory = _ => "artifacts/bench/load",
    };

    private static readonly Option<DirectoryInfo> _results = new("--results")
    {
        Description = "The folder for results and the servers' output.",
        DefaultValueFactory = _ => new DirectoryInfo("artifacts/bench"),
    };

    public static RootCommand Create()
    {
        var command = new RootCommand("Compares WebSocket servers under load: each on core 0 in turn, the client on core 1, the order rotated from round to round.")
        {
            _servers, _baseline, _cells, _inFlight, _fanOut, _rounds, _seconds, _warmup, _client, _results,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                await RunAsync(Read(result), cancellationToken);
                return 0;
            }
            catch (Exception e) when (e is ArgumentException or FormatException or LoadException)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return 1;
            }
        });
        return command;
    }

    private static LoadSettings Read(ParseResult result)
    {
        var mode = result.GetValue(_fanOut) ? CellMode.FanOut : CellMode.Echo;
        Server[] servers = [.. result.GetValue(_servers)!.Select(Server.Parse)];
        if (servers.DistinctBy(server => server.Name).Count() < servers.Length)
        {
            throw new ArgumentException("--server: each needs a name of its own.");
        }

        string baseline = result.GetValue(_baseline) ?? servers[0].Name;
        if (servers.All(server => server.Name != baseline))
        {
            throw new ArgumentException($"--baseline is '{baseline}', which is none of the servers.");
        }

        return new LoadSettings
        {
            Cells = [.. result.GetValue(_cells)!.Split(',').Select(cell => Cell.Parse(cell, mode, result.GetValue(_inFlight)))],
            Servers = [.. servers.OrderByDescending(server => server.Name == baseline)],
            Rounds = result.GetValue(_rounds),
            Duration = TimeSpan.FromSeconds(result.GetValue(_seconds) ?? (mode == CellMode.Echo ? 0.15 : 0.5)),
            Warmup = TimeSpan.FromSeconds(result.GetValue(_warmup)),
            ClientProgram = result.GetValue(_client)!,
            Results = result.GetValue(_results)!,
        };
    }

    private static async Task RunAsync(LoadSettings settings, CancellationToken cancellationToken)
    {
        var run = new CellRun(settings);
        var file = new ResultFile(settings, TimeProvider.System);
        foreach (var cell in settings.Cells)
        {
            var series = await run.RunAsync(cell, cancellationToken);
            Table.Write(Console.Out, cell, series);
            file.Add(cell, series);
        }

        Table.WriteSummary(Console.Out, file.Results);
        Console.WriteLine(file.Path);
    }
}
