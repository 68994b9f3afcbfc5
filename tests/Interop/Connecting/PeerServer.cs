using Shockwave.Testing;

namespace Shockwave.Interop.Connecting;

/// <summary>A server that nobody here wrote, for the tests of one class.</summary>
public abstract class PeerServer : IAsyncLifetime
{
    private const string Ready = "ready ";

    private Uri _address = null!;

    /// <summary>Gets the program.</summary>
    public ChildProcess Process { get; private set; } = null!;

    /// <summary>Gets the address of a behaviour.</summary>
    public Uri Address(string path) => new(_address, path);

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        Process = Start();
        string line = await Process.ReadLineAsync(line => line.StartsWith(Ready, StringComparison.Ordinal));
        _address = new Uri(line[Ready.Length..]);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Process is not null)
        {
            await Process.DisposeAsync();
        }
    }

    /// <summary>Starts the program.</summary>
    protected abstract ChildProcess Start();
}

/// <summary>The server of the npm package ws.</summary>
public sealed class NodeServer : PeerServer
{
    /// <inheritdoc />
    protected override ChildProcess Start() => PeerProcess.StartNode(Peers.Script("server.js"), "ws");
}

/// <summary>The server of python3-websockets.</summary>
public sealed class PythonServer : PeerServer
{
    /// <inheritdoc />
    protected override ChildProcess Start() => PeerProcess.StartPython(Peers.Script("server.py"));
}
