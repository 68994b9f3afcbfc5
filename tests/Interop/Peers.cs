using System.Reflection;
using Shockwave.Testing;

namespace Shockwave.Interop;

/// <summary>Where the scripts of the peers are.</summary>
internal static class Peers
{
    public static string Script(string name)
    {
        var data = typeof(Peers).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>();
        return Path.Combine(data.First(entry => entry.Key == "TestFolder").Value!, "peers", name);
    }

    public static Task<PeerProcess> StartPythonClientAsync() => PeerProcess.StartPythonAsync(Script("client.py"));

    public static Task<PeerProcess> StartNodeClientAsync() => PeerProcess.StartNodeAsync(Script("client.js"), "ws");
}

/// <summary>The client of python3-websockets.</summary>
public sealed class PythonClient : PeerFixture
{
    /// <inheritdoc />
    protected override Task<PeerProcess> StartAsync() => Peers.StartPythonClientAsync();
}

/// <summary>The client of the npm package ws.</summary>
public sealed class NodeClient : PeerFixture
{
    /// <inheritdoc />
    protected override Task<PeerProcess> StartAsync() => Peers.StartNodeClientAsync();
}

/// <summary>A peer for the tests of one class.</summary>
public abstract class PeerFixture : IAsyncLifetime
{
    /// <summary>Gets the peer.</summary>
    public PeerProcess Peer { get; private set; } = null!;

    /// <inheritdoc />
    public async ValueTask InitializeAsync() => Peer = await StartAsync();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Peer is not null)
        {
            await Peer.DisposeAsync();
        }
    }

    /// <summary>Starts it.</summary>
    protected abstract Task<PeerProcess> StartAsync();
}
