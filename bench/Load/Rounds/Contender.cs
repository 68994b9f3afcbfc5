using Shockwave.Load.Cells;
using Shockwave.Load.Servers;

namespace Shockwave.Load.Rounds;

/// <summary>A server and its client, both started, and idle until a measurement.</summary>
internal sealed record Contender(ServerProcess Server, LoadClient Client) : IAsyncDisposable
{
    public static async Task<Contender> StartAsync(string name, Server server, Cell cell, LoadSettings settings, CancellationToken cancellationToken)
    {
        var process = await ServerProcess.StartAsync(name, server, settings.Results, cancellationToken);
        try
        {
            return new Contender(process, await LoadClient.StartAsync(settings, cell, process, cancellationToken));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
