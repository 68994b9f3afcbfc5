namespace Shockwave.Interop.Serving;

public sealed class PythonClientTests(PythonClient client, Servers servers) : EchoTests(client, servers, deflate: false), IClassFixture<PythonClient>;

public sealed class PythonClientWithDeflateTests(PythonClient client, Servers servers) : EchoTests(client, servers, deflate: true), IClassFixture<PythonClient>
{
    [Fact]
    public async Task CompressibleMessages_TravelCompressed() =>
        await Peer.RunAsync("compressed", new { url = (await Server).Socket("echo"), deflate = true });
}
