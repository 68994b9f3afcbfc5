using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Shockwave.Testing;

namespace Shockwave.Client.Tests;

public sealed class WebSocketClientTests : IAsyncLifetime
{
    private readonly WebApplication _app;

    public WebSocketClientTests()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.AddShockwave(options => options.Compression.Enabled = true);
        _app = builder.Build();
        _app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
        _app.MapShockwave("/close", (connection, in message) => connection.Close((CloseCode)4001, "you asked for it"));
    }

    public static TheoryData<EngineKind> Engines => [EngineKind.Epoll, EngineKind.IoUring, EngineKind.Portable];

    public static MatrixTheoryData<EngineKind, bool> EnginesWithAndWithoutCompression => new(Engines.Select(row => row.Data), [false, true]);

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [MemberData(nameof(EnginesWithAndWithoutCompression))]
    public async Task MessagesOfEverySize_ComeBack(EngineKind engine, bool compressed)
    {
        var options = new WebSocketClientOptions { Engine = engine };
        options.Compression.Enabled = compressed;
        var connection = await WebSocketClient.ConnectAsync(Uri("/echo"), options);
        foreach (int length in (int[])[0, 1, 125, 126, 1024, 65535, 65536])
        {
            byte[] payload = Encoding.ASCII.GetBytes(new string('x', length));
            Assert.Equal(SendResult.Accepted, connection.WriteMessage(payload, MessageType.Text));
            Assert.Equal(payload, (await connection.ReadMessageAsync()).Payload.ToArray());
        }

        Assert.True((await connection.CloseAsync()).IsClean);
        Assert.Equal(MessageType.Close, (await connection.ReadMessageAsync()).Type);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Handler_GetsTheMessages(EngineKind engine)
    {
        var handler = new Handler();
        var connection = await WebSocketClient.ConnectAsync(Uri("/echo"), handler, new WebSocketClientOptions { Engine = engine });
        connection.WriteMessage("hello"u8, MessageType.Text);
        Assert.Equal("hello", await handler.First);
        await connection.CloseAsync();
        Assert.True((await handler.Closed).IsClean);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ServersClose_IsReportedWithCodeAndReason(EngineKind engine)
    {
        var connection = await WebSocketClient.ConnectAsync(Uri("/close"), new WebSocketClientOptions { Engine = engine });
        connection.WriteMessage("x"u8, MessageType.Text);
        Assert.Equal(MessageType.Close, (await connection.ReadMessageAsync()).Type);
        await connection.Completion;
        Assert.Equal(((CloseCode)4001, "you asked for it", true), (connection.CloseInfo!.Value.Code, connection.CloseInfo.Value.Reason, connection.CloseInfo.Value.IsPeerFirst));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Ping_MeasuresTheRoundTrip(EngineKind engine)
    {
        var connection = await WebSocketClient.ConnectAsync(Uri("/echo"), new WebSocketClientOptions { Engine = engine });
        Assert.InRange(await connection.PingAsync(), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.NotNull(connection.RoundTripTime);
        await connection.CloseAsync();
    }

    [Theory]
    [InlineData("http://localhost/")]
    [InlineData("ws://localhost/#fragment")]
    public async Task UriThatIsNotAWebSocketUri_IsRefused(string uri) =>
        await Assert.ThrowsAsync<ArgumentException>(() => WebSocketClient.ConnectAsync(new Uri(uri)));

    [Fact]
    public async Task OptionOutOfRange_IsNamed()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => WebSocketClient.ConnectAsync(Uri("/echo"), new WebSocketClientOptions { MaxMessageBytes = 0, ConnectTimeout = TimeSpan.Zero, Engine = (EngineKind)9 }));
        Assert.Contains("MaxMessageBytes is '0'; it must be 1 to 2147483591 (bytes).", error.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectTimeout", error.Message, StringComparison.Ordinal);
        Assert.Contains("Engine is '9'", error.Message, StringComparison.Ordinal);
        var twice = new WebSocketClientOptions { Subprotocols = { "a", "a" } };
        Assert.Contains("Subprotocols", (await Assert.ThrowsAsync<ArgumentException>(() => WebSocketClient.ConnectAsync(Uri("/echo"), twice))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ServerThatDoesNotAnswer_TimesOutAndServerThatIsNotThere_IsReported(EngineKind engine)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var time = new ManualTimeProvider();
        var uri = new Uri($"ws://{silent.LocalEndpoint}/");
        var connecting = WebSocketClient.ConnectAsync(uri, new WebSocketClientOptions { Engine = engine, TimeProvider = time });
        using var accepted = await silent.AcceptSocketAsync();
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Contains("ConnectTimeout", (await Assert.ThrowsAsync<HandshakeException>(() => connecting)).Message, StringComparison.Ordinal);
        silent.Stop();
        var gone = await Assert.ThrowsAsync<HandshakeException>(() => WebSocketClient.ConnectAsync(uri, new WebSocketClientOptions { Engine = engine }));
        Assert.Null(gone.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task CancelledConnect_Throws(EngineKind engine)
    {
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WebSocketClient.ConnectAsync(Uri("/echo"), new WebSocketClientOptions { Engine = engine }, cancel.Token));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task PathThatIsNotThere_Is404(EngineKind engine) =>
        Assert.Equal(404, (await Assert.ThrowsAsync<HandshakeException>(() => WebSocketClient.ConnectAsync(Uri("/nowhere"), new WebSocketClientOptions { Engine = engine }))).StatusCode);

    private Uri Uri(string path) => new(_app.Urls.Single().Replace("http://", "ws://", StringComparison.Ordinal) + path);

    private sealed class Handler : WebSocketHandler
    {
        private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<CloseInfo> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> First => _first.Task;

        public Task<CloseInfo> Closed => _closed.Task;

        public override void OnMessage(WebSocketConnection connection, in Message message) => _first.TrySetResult(message.GetText());

        public override void OnClose(WebSocketConnection connection, in CloseInfo info) => _closed.TrySetResult(info);
    }
}
