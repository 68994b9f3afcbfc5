using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Shockwave.Load.Cells;
using Shockwave.Load.Servers;

namespace Shockwave.Load.Rounds;

/// <summary>The load client of one server and cell, on core 1. Its connections stay open from round to round.</summary>
internal sealed class LoadClient : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ServerProcess _server;

    private LoadClient(Process process, ServerProcess server)
    {
        _process = process;
        _server = server;
    }

    public static async Task<LoadClient> StartAsync(LoadSettings settings, Cell cell, ServerProcess server, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("taskset", ["-c", "1", settings.ClientProgram, .. Arguments(settings, cell, server)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var client = new LoadClient(Process.Start(start)!, server);
        try
        {
            await client.ReadLineAsync(cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    public async Task<Measurement> MeasureAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(duration.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            // It has ended, and its last line says why.
        }

        return JsonSerializer.Deserialize<Measurement>(await ReadLineAsync(cancellationToken), JsonSerializerOptions.Web)!;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            // At the end of its input it closes its connections.
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended before.
        }

        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        if (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            return line;
        }

        string error = await _process.StandardError.ReadToEndAsync(cancellationToken);
        throw new LoadException($"{error.Trim()}\n{_server.LastWords}");
    }

    private static string[] Arguments(LoadSettings settings, Cell cell, ServerProcess server) =>
    [
        .. cell.Mode == CellMode.Echo
            ? new[] { "echo", "path=/echo", $"inflight={cell.InFlight}" }
            : ["fanout", "path=/topic/load", $"batch={cell.InFlight}"],
        $"port={server.Port}",
        $"server={server.Id}",
        $"size={cell.Bytes}",
        $"connections={cell.Connections}",
        $"warmup={settings.Warmup.TotalSeconds}",
    ];
}
