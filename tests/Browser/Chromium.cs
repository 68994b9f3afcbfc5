using System.Reflection;
using Shockwave.Testing;

namespace Shockwave.Browser;

/// <summary>A headless Chromium for the tests of one class.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string _folder =
        typeof(Chromium).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(entry => entry.Key == "TestFolder").Value!;

    /// <summary>Gets the folder for people to look into.</summary>
    public static string Screenshots { get; } = Directory.CreateDirectory(Path.Combine(_folder, "..", "..", "artifacts", "screenshots")).FullName;

    /// <summary>Gets the script that drives it.</summary>
    public PeerProcess Peer { get; private set; } = null!;

    /// <inheritdoc />
    public async ValueTask InitializeAsync() => Peer = await PeerProcess.StartNodeAsync(Path.Combine(_folder, "browser.js"), "playwright-core");

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Peer is not null)
        {
            await Peer.DisposeAsync();
        }
    }
}
