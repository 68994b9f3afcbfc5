using System.Diagnostics;
using System.Text.Json;
using Shockwave.Load.Cells;
using Shockwave.Load.Servers;

namespace Shockwave.Load.Rounds;

/// <summary>Runs the load client on core 1 for one measurement.</summary>
internal sealed class LoadClient(LoadSettings settings)
{
    public async Task<Measurement> MeasureAsync(Cell cell, ServerProcess server, TimeSpan duration, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("taskset", ["-c", "1", settings.ClientProgram, .. Arguments(cell, server, duration)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        using var registration = cancellationToken.Register(process.Kill);
        string output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        string error = await process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<Measurement>(output, JsonSerializerOptions.Web)!
            : throw new LoadException($"{cell}: {error.Trim()}\n{server.LastWords}");
    }

    private string[] Arguments(Cell cell, ServerProcess server, TimeSpan duration) =>
    [
        .. cell.Mode == CellMode.Echo
            ? new[] { "echo", "path=/echo", $"inflight={cell.InFlight}" }
            : ["fanout", "path=/topic/load", $"batch={cell.InFlight}"],
        $"port={server.Port}",
        $"server={server.Id}",
        $"size={cell.Bytes}",
        $"connections={cell.Connections}",
        $"warmup={settings.Warmup.TotalSeconds}",
        $"seconds={duration.TotalSeconds}",
    ];
}
