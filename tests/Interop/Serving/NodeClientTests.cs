using Shockwave.Testing;

namespace Shockwave.Interop.Serving;

public sealed class NodeClientTests(NodeClient client, Servers servers) : EchoTests(client, servers, deflate: false), IClassFixture<NodeClient>
{
    [Fact]
    public async Task MessageOnATopic_ReachesEverySubscriber() =>
        await Peer.RunAsync("publish", new { url = (await Server).Socket("topic/lobby") });
}

public sealed class NodeClientWithDeflateTests(NodeClient client, Servers servers) : EchoTests(client, servers, deflate: true), IClassFixture<NodeClient>
{
    private const string Neither = "server_no_context_takeover; client_no_context_takeover";

    private readonly Servers _servers = servers;

    // What the client asks for, and what each of the two servers agrees to.
    public static TheoryData<string, string, string> Offers => new()
    {
        { "{}", $"permessage-deflate; {Neither}", "permessage-deflate" },
        { """{"clientNoContextTakeover":true}""", $"permessage-deflate; {Neither}", "permessage-deflate; client_no_context_takeover" },
        { """{"serverNoContextTakeover":true}""", $"permessage-deflate; {Neither}", "permessage-deflate; server_no_context_takeover" },
        { """{"serverMaxWindowBits":10}""", $"permessage-deflate; {Neither}; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10" },
        { """{"clientMaxWindowBits":11}""", $"permessage-deflate; {Neither}", "permessage-deflate" },
    };

    [Theory]
    [MemberData(nameof(Offers))]
    public async Task Offer_IsAnsweredByWhatTheServerAllows_AndMessagesTravelCompressed(string offer, string answer, string answerWithTakeover)
    {
        Assert.Equal(answer, await CompressAsync(_servers.Deflating, offer));
        Assert.Equal(answerWithTakeover, await CompressAsync(_servers.KeepingWindows, offer));
    }

    // zlib has no window of 256 bytes, and a larger one would break the agreement: RFC 7692 §7.1.2.1 lets the server decline.
    [Fact]
    public async Task OfferOfAWindowThatNoCompressorHas_IsDeclined_AndMessagesTravelPlain() =>
        Assert.Empty(await Peer.RunAsync("agreed", new { url = (await Server).Socket("echo"), deflate = new { serverMaxWindowBits = 8 } }));

    private async Task<string> CompressAsync(Task<ServeProcess> server, string offer)
    {
        var deflate = System.Text.Json.JsonDocument.Parse(offer).RootElement;
        return await Peer.RunAsync("compressed", new { url = (await server).Socket("echo"), deflate });
    }
}
