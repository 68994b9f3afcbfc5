using System.Diagnostics;
using System.Globalization;

namespace Shockwave.Load.Resources;

/// <summary>What a connection that sends as fast as it can does to the others. The clients are a process of their own on another core.</summary>
internal static class Flood
{
    // eng/bench puts the server on core 0.
    private const string ClientCore = "1";

    public static async Task<string> MeasureAsync(MeasuredServer server)
    {
        // By taskset, so that all threads of the runtime there are on that core from the beginning.
        var start = new ProcessStartInfo("taskset", ["-c", ClientCore, Environment.ProcessPath!, FloodClients.Name, server.Port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        string? result = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        return result ?? throw new InvalidOperationException($"The clients ended with code {process.ExitCode}.");
    }
}
