using Shockwave.Testing;

[assembly: AssemblyFixture(typeof(Shockwave.Interop.Servers))]

namespace Shockwave.Interop;

/// <summary>The servers of `shockwave serve` that the tests share, each started when it is first asked for.</summary>
public sealed class Servers : IAsyncDisposable
{
    private static readonly string[] _largeOptions = ["--Shockwave:MaxMessageBytes=33554432", "--Shockwave:MaxFragmentsPerMessage=100000"];
    private static readonly string[] _deflatingOptions = [.. _largeOptions, "--Shockwave:Compression:Enabled=true"];

    private readonly Lazy<Task<ServeProcess>> _default = new(() => ServeProcess.StartAsync());
    private readonly Lazy<Task<ServeProcess>> _large = new(() => ServeProcess.StartAsync(_largeOptions));
    private readonly Lazy<Task<ServeProcess>> _deflating = new(() => ServeProcess.StartAsync(_deflatingOptions));
    private readonly Lazy<Task<ServeProcess>> _keepingWindows = new(() => ServeProcess.StartAsync(
        [.. _deflatingOptions, "--Shockwave:Compression:AllowContextTakeover=true", "--Shockwave:Compression:AllowPeerContextTakeover=true"]));

    /// <summary>Gets the server as it is without any option.</summary>
    public Task<ServeProcess> Default => _default.Value;

    /// <summary>Gets the server that accepts 32 MiB.</summary>
    public Task<ServeProcess> Large => _large.Value;

    /// <summary>Gets the server that accepts 32 MiB and compresses.</summary>
    public Task<ServeProcess> Deflating => _deflating.Value;

    /// <summary>Gets the server that compresses with context takeover in both directions.</summary>
    public Task<ServeProcess> KeepingWindows => _keepingWindows.Value;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var server in new[] { _default, _large, _deflating, _keepingWindows }.Where(server => server.IsValueCreated))
        {
            await (await server.Value).DisposeAsync();
        }
    }
}
