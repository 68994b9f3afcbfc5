namespace Shockwave.Interop.Serving;

/// <summary>What clients see when the server refuses a message.</summary>
public abstract class LimitTests(PeerFixture client, Servers servers)
{
    [Fact]
    public Task MessageAboveTheDefaultLimit_ClosesWith1009() => SeeAsync("echo", 65 * 1024, 1009, "frame is too big");

    [Fact]
    public Task MessageToAnEndpointThatOnlySends_ClosesWith1008() => SeeAsync("live", 1, 1008, "this endpoint only sends");

    private async Task SeeAsync(string path, int size, int code, string reason) =>
        await client.Peer.RunAsync("close_by_server", new { url = (await servers.Default).Socket(path), size, code, reason });
}

public sealed class PythonClientLimitTests(PythonClient client, Servers servers) : LimitTests(client, servers), IClassFixture<PythonClient>;

public sealed class NodeClientLimitTests(NodeClient client, Servers servers) : LimitTests(client, servers), IClassFixture<NodeClient>;
