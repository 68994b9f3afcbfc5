namespace Shockwave.Protocol.Tests;

public sealed class ClientHandshakeTests(ITestOutputHelper output)
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    [Fact]
    public void ExampleOfRfc6455_IsAccepted() =>
        Assert.Null(ClientHandshake.Validate(Response() with { SecWebSocketProtocol = "chat" }, Key, ["chat", "superchat"]));

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(301)]
    [InlineData(401)]
    [InlineData(503)]
    public void StatusOtherThan101_IsRefused(int status) =>
        AssertRefused(Response() with { StatusCode = status }, "the server did not answer 101 Switching Protocols");

    [Theory]
    [InlineData]
    [InlineData("")]
    [InlineData("h2c")]
    [InlineData("websocket, h2c")]
    [InlineData("websocket", "websocket")]
    [InlineData("websoc\u212Aet")]
    public void UpgradeToOtherThanWebSocket_IsRefused(params string[] upgrade) =>
        AssertRefused(Response() with { Upgrade = upgrade }, "the Upgrade header of the answer is not websocket");

    [Theory]
    [InlineData]
    [InlineData("")]
    [InlineData("close")]
    [InlineData("upgraded", "keep-alive")]
    public void ConnectionWithoutUpgrade_IsRefused(params string[] connection) =>
        AssertRefused(Response() with { Connection = connection }, "the Connection header of the answer does not contain Upgrade");

    [Fact]
    public void Names_AreComparedInAnyCase() =>
        Assert.Null(ClientHandshake.Validate(Response() with { Upgrade = "WEBSOCKET", Connection = "Keep-Alive, UPGRADE" }, Key, []));

    [Theory]
    [InlineData]
    [InlineData(Accept, Accept)]
    [InlineData(Accept, "")]
    public void OtherThanOneAccept_IsRefused(params string[] accept) =>
        AssertRefused(Response() with { SecWebSocketAccept = accept }, "exactly one Sec-WebSocket-Accept header is required");

    [Theory]
    [InlineData("")]
    [InlineData(Key)]
    [InlineData("S3PPLMBITXAQ9KYGZZHZRBK+XOO=")]
    [InlineData("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]
    [InlineData("\u00FF\u00FF\u00FF")]
    public void WrongAccept_IsRefused(string accept) =>
        AssertRefused(Response() with { SecWebSocketAccept = accept }, "Sec-WebSocket-Accept does not answer the key");

    [Fact]
    public void ServerMaySelectNoSubprotocol() => Assert.Null(ClientHandshake.Validate(Response(), Key, ["chat"]));

    [Theory]
    [InlineData("chat", "")]
    [InlineData("superchat", "chat")]
    [InlineData("Chat", "chat")]
    [InlineData("", "chat")]
    [InlineData("chat, v2", "chat v2")]
    public void SubprotocolThatWasNotOffered_IsRefused(string selected, string offered) => AssertRefused(
        Response() with { SecWebSocketProtocol = selected },
        "the server selected a subprotocol that was not offered",
        offered.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Fact]
    public void TwoSubprotocols_AreRefused() => AssertRefused(
        Response() with { SecWebSocketProtocol = new[] { "chat", "chat" } }, "Sec-WebSocket-Protocol was answered more than once", "chat");

    [Fact]
    public void Violation_ReadsAsReasonAndSection() => Assert.Equal(
        "the server did not answer 101 Switching Protocols (RFC 6455 §4.1)",
        ClientHandshake.Validate(Response() with { StatusCode = 200 }, Key, [])!.ToString());

    [Fact]
    public void WrongArguments_AreTheCallersMistake()
    {
        Assert.Throws<ArgumentNullException>("offeredSubprotocols", () => ClientHandshake.Validate(Response(), Key, null!));
        Assert.Throws<ArgumentException>("key", () => ClientHandshake.Validate(Response(), "short", []));
    }

    [Fact]
    public void TimeForConnection_IsLinear() => LinearTime.Assert(length =>
    {
        var response = Response() with { Connection = string.Concat(Enumerable.Repeat("a,", length / 2)) };
        return () => ClientHandshake.Validate(response, Key, []);
    });

    [Fact]
    public void RandomResponses_AreAcceptedOnlyIfTheyAnswerTheRequest()
    {
        var mutator = new HeaderMutator(output);
        int accepted = 0;
        for (int i = 0; i < 50_000; i++)
        {
            var response = new HandshakeResponse
            {
                StatusCode = mutator.OneIn(20) ? 200 : 101,
                Upgrade = mutator.Header("websocket", "WebSocket"),
                Connection = mutator.Header("Upgrade", "keep-alive, upgrade"),
                SecWebSocketAccept = mutator.Header(Accept),
                SecWebSocketProtocol = mutator.Header("chat", "superchat"),
            };

            var violation = ClientHandshake.Validate(response, Key, ["chat", "superchat"]);
            bool isRight = response is { StatusCode: 101, Upgrade.Count: 1, SecWebSocketAccept.Count: 1, SecWebSocketProtocol.Count: 0 or 1 }
                && response.Upgrade[0].Equals("websocket", StringComparison.OrdinalIgnoreCase)
                && response.Connection.ContainsToken("Upgrade")
                && response.SecWebSocketAccept[0] == Accept
                && (response.SecWebSocketProtocol.Count == 0 || response.SecWebSocketProtocol[0] is "chat" or "superchat");
            Assert.True(isRight == violation is null, $"SHOCKWAVE_SEED={mutator.Seed}, response {i}: {violation}");
            accepted += violation is null ? 1 : 0;
        }

        Assert.InRange(accepted, 1_000, 45_000);
    }

    private static HandshakeResponse Response() => new()
    {
        StatusCode = 101,
        Upgrade = "websocket",
        Connection = "Upgrade",
        SecWebSocketAccept = Accept,
    };

    private static void AssertRefused(in HandshakeResponse response, string reason, params string[] offeredSubprotocols) =>
        Assert.Equal(reason, ClientHandshake.Validate(response, Key, offeredSubprotocols)?.Reason);
}
