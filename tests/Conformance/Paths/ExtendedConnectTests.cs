using System.Net;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>Opening handshakes over HTTP/2 (RFC 8441 §5).</summary>
public sealed class ExtendedConnectTests(PathServers servers) : IClassFixture<PathServers>
{
    private const string Version = "Sec-WebSocket-Version: 13\r\n";

    /// <summary>Gets headers that must not be accepted, with the status that answers them. In place of the server stands {host}.</summary>
    public static TheoryData<string, string, int> IllegalHeaders => new()
    {
        { "no version", "", 400 },
        { "version 8", "Sec-WebSocket-Version: 8", 400 },
        { "version 13 with a leading zero", "Sec-WebSocket-Version: 013", 400 },
        { "list of versions", "Sec-WebSocket-Version: 13, 8", 400 },
        { "two versions", Version + "Sec-WebSocket-Version: 8", 400 },
        { "subprotocol with a slash", Version + "Sec-WebSocket-Protocol: a/b", 400 },
        { "subprotocol named twice", Version + "Sec-WebSocket-Protocol: a, b, a", 400 },
        { "empty element among the subprotocols", Version + "Sec-WebSocket-Protocol: a,, b", 400 },
        { "origin of another site", Version + "Origin: https://evil.example", 403 },
        { "origin by http", Version + "Origin: http://{host}", 403 },
        { "origin on another port", Version + "Origin: https://127.0.0.1:1", 403 },
        { "origin null", Version + "Origin: null", 403 },
        { "same origin twice", Version + "Origin: https://{host}\r\nOrigin: https://{host}", 403 },
    };

    /// <summary>Gets headers that are accepted.</summary>
    public static TheoryData<string, string> LegalHeaders => new()
    {
        { "plain", Version },
        { "origin of the server itself", Version + "Origin: https://{host}" },
        { "key, which means nothing here", Version + "Sec-WebSocket-Key: x" },
        { "unknown extension", Version + "Sec-WebSocket-Extensions: x-unknown; a=b" },
        { "compression", Version + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits" },
        { "unknown subprotocol", Version + "Sec-WebSocket-Protocol: chat, superchat" },
    };

    [Theory]
    [MemberData(nameof(IllegalHeaders))]
    public async Task IllegalHandshake_GetsItsStatus(string name, string headers, int status)
    {
        var server = await servers.GetAsync(ServerPath.Http2ExtendedConnect);
        using var answer = await server.RequestAsync("/echo", HttpMethod.Connect, "websocket", headers.Replace("{host}", server.EndPoint.ToString(), StringComparison.Ordinal));
        Assert.True(status == (int)answer.StatusCode, $"{name}: {answer}");
        if (name.Contains("version", StringComparison.Ordinal))
        {
            // RFC 6455 §4.4: with the versions that the server speaks.
            Assert.Equal(["13"], answer.Headers.GetValues("Sec-WebSocket-Version"));
        }
    }

    [Theory]
    [MemberData(nameof(LegalHeaders))]
    public async Task LegalHandshake_IsAccepted(string name, string headers)
    {
        var server = await servers.GetAsync(ServerPath.Http2ExtendedConnect);
        using var answer = await server.RequestAsync("/echo", HttpMethod.Connect, "websocket", headers.Replace("{host}", server.EndPoint.ToString(), StringComparison.Ordinal));
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{name}: {answer}");
        Assert.False(answer.Headers.Contains("Sec-WebSocket-Accept"), "RFC 8441 §5: there is no key, and no answer to it.");
        using var client = new WireClient(await answer.Content.ReadAsStreamAsync());
        await client.AssertEchoAsync("hello");
        await client.SendAsync(RawFrame.Masked(0x88, RawFrame.ClosePayload(1000)));
        await client.AssertCloseAsync(1000);
        await client.AssertEndAsync();
        server.AssertPath();
    }

    [Fact]
    public async Task RequestThatIsNoExtendedConnect_IsRefused()
    {
        var server = await servers.GetAsync(ServerPath.Http2ExtendedConnect);
        using var get = await server.RequestAsync("/echo", HttpMethod.Get, protocol: null, Version);
        Assert.Equal(HttpStatusCode.BadRequest, get.StatusCode);
        using var post = await server.RequestAsync("/echo", HttpMethod.Post, protocol: null, Version);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }
}
