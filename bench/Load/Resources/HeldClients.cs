using System.Diagnostics;
using System.Text.Json;

namespace Shockwave.Load.Resources;

/// <summary>A process that opens connections and holds them until it is disposed.</summary>
internal sealed class HeldClients : IAsyncDisposable
{
    private readonly Process _process;

    private HeldClients(Process process) => _process = process;

    public static async Task<HeldClients> OpenAsync(string program, MeasuredServer server, string path, int connections)
    {
        var start = new ProcessStartInfo(program, ["idle", $"port={server.Port}", $"path={path}", $"connections={connections}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var clients = new HeldClients(Process.Start(start)!);
        await clients.ReadLineAsync();
        return clients;
    }

    /// <summary>Asks what has come so far.</summary>
    public async Task<Report> ReportAsync()
    {
        await _process.StandardInput.WriteLineAsync();
        await _process.StandardInput.FlushAsync();
        return JsonSerializer.Deserialize<Report>(await ReadLineAsync(), JsonSerializerOptions.Web)!;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The client has ended.");

    internal sealed record Report(int Connections, int Closed, int Pings, int Messages);
}
