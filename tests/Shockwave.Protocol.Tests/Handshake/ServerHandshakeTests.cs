using System.Text.RegularExpressions;

namespace Shockwave.Protocol.Tests;

public sealed class ServerHandshakeTests(ITestOutputHelper output)
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    [Fact]
    public void ExampleOfRfc6455_IsAccepted() =>
        Assert.Null(ServerHandshake.Validate(Request() with { SecWebSocketProtocol = "chat, superchat" }));

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("HEAD")]
    [InlineData("CONNECT")]
    [InlineData("get")]
    [InlineData("")]
    [InlineData(null)]
    public void AnotherMethod_IsRefused405(string? method)
    {
        var refusal = AssertRefused(Request() with { Method = method! }, 405, "the opening handshake is a GET request");
        Assert.Equal([new("Allow", "GET")], refusal.Headers);
    }

    [Theory]
    [InlineData("HTTP/1.0")]
    [InlineData("HTTP/0.9")]
    [InlineData("HTTP/2")]
    [InlineData("http/1.1")]
    [InlineData("")]
    [InlineData(null)]
    public void AnotherHttpVersion_IsRefused400(string? version) =>
        AssertRefused(Request() with { HttpVersion = version! }, 400, "the opening handshake needs HTTP/1.1");

    [Theory]
    [InlineData]
    [InlineData("")]
    [InlineData("example.com", "example.com")]
    [InlineData("example.com", "evil.com", "")]
    public void OtherThanOneHost_IsRefused400(params string[] hosts) =>
        AssertRefused(Request() with { Host = hosts }, 400, "exactly one Host header is required");

    [Theory]
    [InlineData("WebSocket")]
    [InlineData("h2c, websocket")]
    [InlineData("h2c", "websocket, foo/1")]
    public void Upgrade_MayBeAListOfProtocols(params string[] upgrade) =>
        Assert.Null(ServerHandshake.Validate(Request() with { Upgrade = upgrade }));

    [Theory]
    [InlineData]
    [InlineData("")]
    [InlineData("h2c")]
    [InlineData("websockets")]
    [InlineData("websocket/13")]
    [InlineData("web socket")]
    [InlineData("web", "socket")]
    public void UpgradeToAnother_IsRefused426(params string[] upgrade) =>
        AssertUpgradeAsked(Request() with { Upgrade = upgrade }, "the Upgrade header does not ask for websocket");

    [Theory]
    [InlineData("upgrade")]
    [InlineData("keep-alive, Upgrade")]
    [InlineData("keep-alive", "UPGRADE")]
    public void Connection_IsAListOfTokens(params string[] connection) =>
        Assert.Null(ServerHandshake.Validate(Request() with { Connection = connection }));

    [Theory]
    [InlineData]
    [InlineData("")]
    [InlineData("keep-alive")]
    [InlineData("close", "upgrades")]
    [InlineData("keep-alive Upgrade")]
    public void ConnectionWithoutUpgrade_IsRefused426(params string[] connection) =>
        AssertUpgradeAsked(Request() with { Connection = connection }, "the Connection header does not contain Upgrade");

    [Fact]
    public void PlainRequest_IsToldToUpgradeBeforeItsBodyIsJudged() =>
        AssertUpgradeAsked(Request() with { Upgrade = default, HasBody = true }, "the Upgrade header does not ask for websocket");

    [Fact]
    public void Body_IsRefused400() => AssertRefused(Request() with { HasBody = true }, 400, "the opening handshake has no body");

    [Fact]
    public void MissingVersion_IsRefused400AndToldOurs()
    {
        var refusal = AssertRefused(Request() with { SecWebSocketVersion = default }, 400, "Sec-WebSocket-Version is missing");
        Assert.Equal([new("Sec-WebSocket-Version", "13")], refusal.Headers);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("8")]
    [InlineData("12")]
    [InlineData("14")]
    [InlineData("013")]
    [InlineData("13, 8")]
    [InlineData("13,13")]
    [InlineData("-13")]
    [InlineData("13.0")]
    [InlineData("\uFF11\uFF13")]
    [InlineData("")]
    public void AnotherVersion_IsRefused426AndToldOurs(string version)
    {
        var refusal = AssertUpgradeAsked(Request() with { SecWebSocketVersion = version }, "Sec-WebSocket-Version is not 13");
        Assert.Contains(new("Sec-WebSocket-Version", "13"), refusal.Headers);
    }

    [Theory]
    [InlineData("13", "13")]
    [InlineData("8", "13")]
    public void SeveralVersions_AreRefused426AndToldOurs(params string[] versions)
    {
        var refusal = AssertUpgradeAsked(Request() with { SecWebSocketVersion = versions }, "Sec-WebSocket-Version was sent more than once");
        Assert.Contains(new("Sec-WebSocket-Version", "13"), refusal.Headers);
    }

    [Theory]
    [InlineData]
    [InlineData(Key, Key)]
    [InlineData(Key, "")]
    public void OtherThanOneKey_IsRefused400(params string[] keys) =>
        AssertRefused(Request() with { SecWebSocketKey = keys }, 400, "exactly one Sec-WebSocket-Key header is required");

    [Theory]
    [InlineData("")]
    [InlineData("not base64 of 16 bytes!!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAB==")]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==")]
    public void InvalidKey_IsRefused400(string key) =>
        AssertRefused(Request() with { SecWebSocketKey = key }, 400, "Sec-WebSocket-Key is not the base64 of 16 bytes");

    [Theory]
    [InlineData("chat")]
    [InlineData("chat,superchat")]
    [InlineData(" chat\t,\tCHAT ")]
    [InlineData("v1.chat!#$%&'*+-.^_`|~", "v2", "v3")]
    public void ListOfTokens_IsAcceptedAsSubprotocols(params string[] subprotocols) =>
        Assert.Null(ServerHandshake.Validate(Request() with { SecWebSocketProtocol = subprotocols }));

    [Theory]
    [InlineData("")]
    [InlineData("a\"b")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\r\nX-Injected: 1")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("\u007F")]
    [InlineData("caf\u00E9")]
    [InlineData("a,,b")]
    [InlineData(",a")]
    [InlineData("a,")]
    [InlineData("a, ,b")]
    [InlineData("a", "")]
    [InlineData("a\v")]
    public void SubprotocolThatIsNoToken_IsRefused400(params string[] subprotocols) =>
        AssertRefused(Request() with { SecWebSocketProtocol = subprotocols }, 400, "Sec-WebSocket-Protocol is not a list of tokens");

    [Theory]
    [InlineData("a,a")]
    [InlineData("a, b,\ta")]
    [InlineData("a", "b", "a")]
    public void SubprotocolNamedTwice_IsRefused400(params string[] subprotocols) =>
        AssertRefused(Request() with { SecWebSocketProtocol = subprotocols }, 400, "Sec-WebSocket-Protocol names a subprotocol twice");

    [Fact]
    public void AcceptingWithoutSubprotocol_AllocatesNothing()
    {
        var request = Request();
        Assert.Null(ServerHandshake.Validate(request));
        long before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = ServerHandshake.Validate(request);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Null(refusal);
    }

    [Fact]
    public void Refusal_ReadsAsStatusReasonAndSection() => Assert.Equal(
        "426 Sec-WebSocket-Version is not 13 (RFC 6455 §4.4)",
        ServerHandshake.Validate(Request() with { SecWebSocketVersion = "8" })!.ToString());

    [Fact]
    public void TimeForUpgrade_IsLinear() => LinearTime.Assert(length =>
    {
        var request = Request() with { Upgrade = string.Concat(Enumerable.Repeat("h2,", length / 3)) };
        return () => ServerHandshake.Validate(request);
    });

    [Fact]
    public void TimeForConnectionOfSpaces_IsLinear() => LinearTime.Assert(length =>
    {
        var request = Request() with { Connection = new string(' ', length) + "x" };
        return () => ServerHandshake.Validate(request);
    });

    [Fact]
    public void TimeForSubprotocols_IsLinear() => LinearTime.Assert(length =>
    {
        var request = Request() with { SecWebSocketProtocol = string.Join(',', Enumerable.Range(10_000, length / 6)) };
        return () => Assert.Null(ServerHandshake.Validate(request));
    });

    [Fact]
    public void TimeForLinesOfSubprotocols_IsLinear() => LinearTime.Assert(length =>
    {
        string[] lines = [.. Enumerable.Range(10_000, length / 6).Select(n => $"{n}")];
        var request = Request() with { SecWebSocketProtocol = lines };
        return () => Assert.Null(ServerHandshake.Validate(request));
    });

    [Fact]
    public void RandomRequests_AreJudgedAsTheGrammarSays()
    {
        var mutator = new HeaderMutator(output);
        int accepted = 0;
        for (int i = 0; i < 100_000; i++)
        {
            var request = new HandshakeRequest
            {
                Method = mutator.OneIn(20) ? mutator.Mutate("GET") : "GET",
                HttpVersion = mutator.OneIn(20) ? mutator.Mutate("HTTP/1.1") : "HTTP/1.1",
                Host = mutator.Header("example.com", "[::1]:8080"),
                Upgrade = mutator.Header("websocket", "WebSocket", "h2c, websocket"),
                Connection = mutator.Header("Upgrade", "keep-alive, Upgrade"),
                SecWebSocketVersion = mutator.Header("13"),
                SecWebSocketKey = mutator.Header(Key, "AAAAAAAAAAAAAAAAAAAAAA=="),
                SecWebSocketProtocol = mutator.Header("chat", "a, b", "v1.chat,v2.chat"),
                HasBody = mutator.OneIn(20),
            };

            int expected = ExpectedStatus(request);
            var refusal = ServerHandshake.Validate(request);
            Assert.True(expected == (refusal?.StatusCode ?? 101), $"SHOCKWAVE_SEED={mutator.Seed}, request {i}: {refusal}, but {expected} was expected.");
            Assert.True(SubprotocolSelector.Select(request.SecWebSocketProtocol, ["v2.chat"]) is null or "v2.chat");
            accepted += refusal is null ? 1 : 0;
        }

        Assert.InRange(accepted, 1_000, 90_000);
    }

    // The same rules once more, as regular expressions and .NET's own base64.
    private static int ExpectedStatus(in HandshakeRequest request)
    {
        if (request.Method != "GET")
        {
            return 405;
        }

        if (request.HttpVersion != "HTTP/1.1" || request.Host.Count != 1 || request.Host[0] is "")
        {
            return 400;
        }

        if (!HasListed(request.Upgrade, "websocket") || !HasListed(request.Connection, "upgrade"))
        {
            return 426;
        }

        if (request.HasBody || request.SecWebSocketVersion.Count == 0)
        {
            return 400;
        }

        if (request.SecWebSocketVersion.Count > 1 || request.SecWebSocketVersion[0] != "13")
        {
            return 426;
        }

        return IsKey(request.SecWebSocketKey) && AreSubprotocols(request.SecWebSocketProtocol) ? 101 : 400;
    }

    private static bool HasListed(HeaderValues values, string token)
    {
        // Letter by letter, because IgnoreCase takes the Kelvin sign for a k.
        string anyCase = string.Concat(token.Select(letter => $"[{letter}{char.ToUpperInvariant(letter)}]"));
        return Regex.IsMatch(Join(values), $@"(\A|,)[ \t]*{anyCase}[ \t]*(,|\z)");
    }

    private static bool IsKey(HeaderValues key)
    {
        var bytes = new byte[32];
        return key.Count == 1
            && Convert.TryFromBase64String(key[0], bytes, out int written)
            && written == 16
            && Convert.ToBase64String(bytes, 0, written) == key[0];
    }

    private static bool AreSubprotocols(HeaderValues subprotocols)
    {
        const string Token = "[-!#$%&'*+.^_`|~0-9A-Za-z]+";
        string[] elements = Join(subprotocols).Split(',');
        return subprotocols.Count == 0
            || (elements.All(element => Regex.IsMatch(element, $@"\A[ \t]*{Token}[ \t]*\z"))
                && elements.Select(element => element.Trim(' ', '\t')).Distinct().Count() == elements.Length);
    }

    private static string Join(HeaderValues values) => string.Join(',', Enumerable.Range(0, values.Count).Select(i => values[i]));

    private static HandshakeRequest Request() => new()
    {
        Method = "GET",
        HttpVersion = "HTTP/1.1",
        Host = "server.example.com",
        Upgrade = "websocket",
        Connection = "Upgrade",
        SecWebSocketVersion = "13",
        SecWebSocketKey = Key,
    };

    private static HandshakeRefusal AssertUpgradeAsked(in HandshakeRequest request, string reason)
    {
        var refusal = AssertRefused(request, 426, reason);
        Assert.Contains(new("Upgrade", "websocket"), refusal.Headers);
        Assert.Contains(new("Connection", "Upgrade"), refusal.Headers);
        return refusal;
    }

    private static HandshakeRefusal AssertRefused(in HandshakeRequest request, int status, string reason)
    {
        var refusal = ServerHandshake.Validate(request);
        Assert.NotNull(refusal);
        Assert.Equal((status, reason), (refusal.StatusCode, refusal.Reason));
        return refusal;
    }
}
