using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore.Tests;

/// <summary>Over TestServer, which knows no bytes: what a user's own tests see must be what Kestrel's clients see.</summary>
public sealed class FramedWebSocketStreamTests : IAsyncLifetime
{
    private readonly Recorder _recorder = new();
    private readonly WebApplication _app;

    public FramedWebSocketStreamTests()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection([new("Shockwave:Subprotocols", "v2,v1"), new("Shockwave:MaxConnections", "2"), new("Shockwave:Compression:Enabled", "true")]);
        builder.AddShockwave();
        builder.Services.AddSingleton(_recorder);
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "ada")], "Test"));
            return next(context);
        });
        _app.UseWebSockets();
        _app.MapShockwave<Recorder>("/echo/{name}");
        _app.MapShockwave("/pull", async (connection, closed) =>
        {
            while (await connection.ReadMessageAsync(closed) is { Type: not MessageType.Close } message)
            {
                await connection.WriteMessageAsync(message.Payload, message.Type, closed);
            }
        });
    }

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData("/echo/blue")]
    [InlineData("/pull")]
    public async Task Messages_ComeBackWithTheirTypeAndWhole(string path)
    {
        using var client = await ConnectAsync(path);
        foreach (int size in (int[])[0, 1, 125, 126, 16 * 1024, (16 * 1024) + 1, 64 * 1024])
        {
            byte[] payload = Enumerable.Range(0, size).Select(i => (byte)('a' + (i % 26))).ToArray();
            foreach (var type in (WebSocketMessageType[])[WebSocketMessageType.Text, WebSocketMessageType.Binary])
            {
                await client.SendAsync(payload, type, endOfMessage: true, CancellationToken.None);
                var (received, receivedType) = await ReceiveAsync(client);
                Assert.Equal(type, receivedType);
                Assert.Equal(payload, received);
            }
        }
    }

    [Fact]
    public async Task Fragments_AreOneMessage()
    {
        using var client = await ConnectAsync("/echo/blue");
        foreach (string fragment in (string[])["a", "", "bc"])
        {
            await client.SendAsync(Encoding.UTF8.GetBytes(fragment), WebSocketMessageType.Text, endOfMessage: false, CancellationToken.None);
        }

        await client.SendAsync("d"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        Assert.Equal("abcd", Encoding.UTF8.GetString((await ReceiveAsync(client)).Payload));
    }

    [Fact]
    public async Task Ping_IsAnsweredWhileTheClientIsSilentAndWhileItSends()
    {
        using var client = await ConnectAsync("/echo/blue");
        var connection = await _recorder.Opened.Task;
        for (int i = 0; i < 3; i++)
        {
            Assert.True(await connection.PingAsync() >= TimeSpan.Zero);
            await client.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            await ReceiveAsync(client);
        }
    }

    [Fact]
    public async Task Upgrade_IsCopiedAndNegotiated()
    {
        var server = _app.GetTestServer().CreateWebSocketClient();
        server.SubProtocols.Add("v3");
        server.SubProtocols.Add("v1");
        server.ConfigureRequest = request => request.Headers.SecWebSocketExtensions = "permessage-deflate";
        using var client = await server.ConnectAsync(new Uri("ws://localhost/echo/blue"), CancellationToken.None);
        Assert.Equal("v1", client.SubProtocol);
        var connection = await _recorder.Opened.Task;
        Assert.Equal(("v1", "ada", "blue"), (connection.Subprotocol, connection.User!.Identity!.Name, connection.RouteValues["name"]));

        // Were it compressed, the client would get what it cannot read.
        byte[] payload = new byte[4096];
        await client.SendAsync(payload, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        Assert.Equal(payload, (await ReceiveAsync(client)).Payload);
    }

    [Fact]
    public async Task ClientCloses_TheServerEchoesItsCode()
    {
        using var client = await ConnectAsync("/echo/blue");
        await client.CloseAsync((WebSocketCloseStatus)4001, "bye", CancellationToken.None);
        Assert.Equal((WebSocketCloseStatus)4001, client.CloseStatus);
        var info = await _recorder.Closed.Task;
        Assert.Equal((4001, "bye", true), ((int)info.Code, info.Reason, info.IsClean));
    }

    [Fact]
    public async Task ClientClosesWithoutACode_IsClean()
    {
        using var client = await ConnectAsync("/echo/blue");
        await client.CloseAsync(WebSocketCloseStatus.Empty, null, CancellationToken.None);
        var info = await _recorder.Closed.Task;
        Assert.Equal((CloseCode.NoStatusReceived, true), (info.Code, info.IsClean));
    }

    [Fact]
    public async Task ServerCloses_TheClientSeesCodeAndReason()
    {
        using var client = await ConnectAsync("/echo/blue");
        (await _recorder.Opened.Task).Close((CloseCode)4002, "enough");
        await AssertClosedAsync(client, 4002, "enough");
        await client.CloseOutputAsync((WebSocketCloseStatus)4002, null, CancellationToken.None);
        Assert.True((await _recorder.Closed.Task).IsClean);
    }

    [Fact]
    public async Task Violations_FailTheConnectionWithTheirCode()
    {
        using var text = await ConnectAsync("/echo/blue");
        await text.SendAsync(new byte[] { 0xFF }, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        await AssertClosedAsync(text, 1007);
        await text.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);

        using var big = await ConnectAsync("/pull");
        await big.SendAsync(new byte[(64 * 1024) + 1], WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        await AssertClosedAsync(big, 1009);
        await big.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        Assert.Equal(1007, (int)(await _recorder.Closed.Task).Code);
    }

    [Fact]
    public async Task CloseCodeThatMustNotBeSent_IsAViolation()
    {
        using var client = await ConnectAsync("/echo/blue");
        await client.CloseOutputAsync((WebSocketCloseStatus)999, null, CancellationToken.None);
        await AssertClosedAsync(client, 1002);
    }

    [Fact]
    public async Task ClientThatAborts_EndsTheConnection()
    {
        var client = await ConnectAsync("/echo/blue");
        client.Abort();
        Assert.Equal(CloseCode.AbnormalClosure, (await _recorder.Closed.Task).Code);
        await WaitForNoneAsync();
    }

    [Fact]
    public async Task ServerThatAborts_EndsTheClient()
    {
        using var client = await ConnectAsync("/echo/blue");
        (await _recorder.Opened.Task).Abort();
        await Assert.ThrowsAsync<IOException>(() => ReceiveAsync(client));
        await WaitForNoneAsync();
    }

    [Fact]
    public async Task RefusedHandshakes_GetTheirStatus()
    {
        var foreign = await Assert.ThrowsAsync<InvalidOperationException>(() => ConnectAsync("/echo/blue", "https://example.com"));
        Assert.Contains("403", foreign.Message, StringComparison.Ordinal);

        using var first = await ConnectAsync("/pull");
        using var second = await ConnectAsync("/pull");
        var full = await Assert.ThrowsAsync<InvalidOperationException>(() => ConnectAsync("/pull"));
        Assert.Contains("503", full.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoppingHost_ClosesWith1012()
    {
        using var client = await ConnectAsync("/echo/blue");
        await _recorder.Opened.Task;
        var stopping = _app.StopAsync();
        await AssertClosedAsync(client, 1012);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await stopping;
    }

    private Task<WebSocket> ConnectAsync(string path, string? origin = null)
    {
        var client = _app.GetTestServer().CreateWebSocketClient();
        client.ConfigureRequest = request => request.Headers.Origin = origin;
        return client.ConnectAsync(new Uri($"ws://localhost{path}"), CancellationToken.None);
    }

    private async Task WaitForNoneAsync()
    {
        var limits = _app.Services.GetRequiredService<ShockwaveRuntime>().Limits;
        while (limits.Count != 0)
        {
            await Task.Yield();
        }
    }

    private static async Task<(byte[] Payload, WebSocketMessageType Type)> ReceiveAsync(WebSocket client)
    {
        var payload = new MemoryStream();
        byte[] buffer = new byte[100_000];
        while (true)
        {
            var result = await client.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
            payload.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
            {
                return (payload.ToArray(), result.MessageType);
            }
        }
    }

    private static async Task AssertClosedAsync(WebSocket client, int code, string? reason = null)
    {
        Assert.Equal(WebSocketMessageType.Close, (await ReceiveAsync(client)).Type);
        Assert.Equal(code, (int)client.CloseStatus!.Value);
        Assert.Equal(reason ?? client.CloseStatusDescription, client.CloseStatusDescription);
    }

    internal sealed class Recorder : WebSocketHandler
    {
        public TaskCompletionSource<WebSocketConnection> Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<CloseInfo> Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnOpen(WebSocketConnection connection) => Opened.TrySetResult(connection);

        public override void OnMessage(WebSocketConnection connection, in Message message) => connection.WriteMessage(message.Payload, message.Type);

        public override void OnClose(WebSocketConnection connection, in CloseInfo info) => Closed.TrySetResult(info);
    }
}
