using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Shockwave.Interop.Connecting;

public sealed class NodeServerTests(NodeServer server) : ClientTests(server), IClassFixture<NodeServer>
{
    public static MatrixTheoryData<bool, bool, bool, bool> Takeovers => new([true, false], [true, false], [true, false], [true, false]);

    [Theory]
    [MemberData(nameof(Takeovers))]
    public async Task EveryAgreementOnContextTakeover_CarriesMessagesCompressed(bool ours, bool peers, bool serverKeeps, bool clientMayKeep)
    {
        var connection = await ConnectAsync(
            $"/deflate?deflate&server={(serverKeeps ? "may" : "no")}&client={(clientMayKeep ? "may" : "no")}",
            options => options.Compression = new() { Enabled = true, AllowContextTakeover = ours, AllowPeerContextTakeover = peers });
        string agreed = (await connection.ReadMessageAsync()).GetText();
        Assert.StartsWith("Sec-WebSocket-Extensions: permessage-deflate", agreed);
        Assert.Equal(!serverKeeps || !peers, agreed.Contains("server_no_context_takeover", StringComparison.Ordinal));

        for (int i = 0; i < 5; i++)
        {
            string text = string.Concat(Enumerable.Repeat($"{i} all work and no play ", 2500));
            await AssertEchoAsync(connection, Encoding.UTF8.GetBytes(text), MessageType.Text);
        }

        connection.WriteMessage("bytes?"u8, MessageType.Text);
        int received = int.Parse((await connection.ReadMessageAsync()).GetText(), CultureInfo.InvariantCulture);
        Assert.InRange(received, 1, 25_000);
        await AssertCleanCloseAsync(connection);
    }

    [Theory]
    [InlineData("/unauthorized", 401)]
    [InlineData("/redirect", 302)]
    [InlineData("/wrong-accept", 101)]
    [InlineData("/unsolicited-extension", 101)]
    [InlineData("/unsolicited-subprotocol", 101)]
    public async Task WrongAnswer_ThrowsHandshakeExceptionWithTheStatus(string path, int status)
    {
        var error = await Assert.ThrowsAsync<HandshakeException>(() => ConnectAsync(path));
        Assert.Equal(status, error.StatusCode);
    }

    [Fact]
    public async Task NobodyListening_ThrowsHandshakeExceptionWithoutAStatus()
    {
        using var reserved = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var nobody = new Uri($"ws://127.0.0.1:{((IPEndPoint)reserved.LocalEndPoint!).Port}/");
        var error = await Assert.ThrowsAsync<HandshakeException>(() => WebSocketClient.ConnectAsync(nobody));
        Assert.Null(error.StatusCode);
    }

    [Fact]
    public async Task HeadersAndCookies_AreSent()
    {
        var cookies = new CookieContainer();
        cookies.Add(new Cookie("session", "abc", "/", "127.0.0.1"));
        var connection = await ConnectAsync("/request", options =>
        {
            options.Headers["Authorization"] = "Bearer token";
            options.Headers["X-Custom"] = "value";
            options.Cookies = cookies;
            options.Subprotocols.Add("chat.v2");
        });
        var seen = JsonSerializer.Deserialize<Dictionary<string, string>>((await connection.ReadMessageAsync()).GetText())!;
        Assert.Equal(("Bearer token", "value", "session=abc", "chat.v2"), (seen["authorization"], seen["x-custom"], seen["cookie"], seen["subprotocol"]));
        await AssertCleanCloseAsync(connection);
    }

    [Fact]
    public async Task PingOfTheServer_IsAnsweredWithItsPayload()
    {
        var connection = await ConnectAsync("/pings");
        Assert.Equal("pong from the server", (await connection.ReadMessageAsync()).GetText());
        await AssertCleanCloseAsync(connection);
    }

    [Fact]
    public async Task CloseByUs_ReachesTheServerWithCodeAndReason()
    {
        var connection = await ConnectAsync("/reports-close");
        await connection.CloseAsync((CloseCode)4003, "we leave");
        Assert.Equal("closed 4003 we leave", await Server.Process.ReadLineAsync(line => line.StartsWith("closed 4003", StringComparison.Ordinal)));
    }
}
