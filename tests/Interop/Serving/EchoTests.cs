using Shockwave.Testing;

namespace Shockwave.Interop.Serving;

/// <summary>What every client must see of the echo, with compression and without.</summary>
public abstract class EchoTests(PeerFixture client, Servers servers, bool deflate)
{
    [Fact]
    public Task Text_ComesBackAsItWas() => PlayAsync("text");

    [Fact]
    public Task Binary_ComesBackAsItWas() => PlayAsync("binary");

    [Fact]
    public Task EmptyMessages_ComeBackEmpty() => PlayAsync("empty");

    [Theory]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(64 * 1024)]
    [InlineData(1024 * 1024)]
    public Task MessageOfAnySize_ComesBackAsItWas(int size) => PlayAsync("sized", size);

    [Fact]
    public Task FragmentedMessages_ComeBackWhole() => PlayAsync("fragments");

    [Fact]
    public Task Ping_IsAnsweredWithSamePayload() => PlayAsync("ping");

    [Fact]
    public Task CloseByTheClient_IsAnsweredWithItsCode() => PlayAsync("close_by_client");

    [Fact]
    public Task ManyClients_AreServedAtOnce() => PlayAsync("many");

    protected Task<ServeProcess> Server => deflate ? servers.Deflating : servers.Large;

    protected PeerProcess Peer => client.Peer;

    private async Task PlayAsync(string scenario, int size = 0) =>
        await Peer.RunAsync(scenario, new { url = (await Server).Socket("echo"), deflate, size, count = 60 });
}
