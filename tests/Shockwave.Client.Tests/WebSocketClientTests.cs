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

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MessagesOfEverySize_ComeBack(bool compressed)
    {
        var options = new WebSocketClientOptions();
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

    [Fact]
    public async Task Handler_GetsTheMessages()
    {
        var handler = new Handler();
        var connection = await WebSocketClient.ConnectAsync(Uri("/echo"), handler);
        connection.WriteMessage("hello"u8, MessageType.Text);
        Assert.Equal("hello", await handler.First);
        await connection.CloseAsync();
        Assert.True((await handler.Closed).IsClean);
    }

    [Fact]
    public async Task ServersClose_IsReportedWithCodeAndReason()
    {
        var connection = await WebSocketClient.ConnectAsync(Uri("/close"));
        connection.WriteMessage("x"u8, MessageType.Text);
        Assert.Equal(MessageType.Close, (await connection.ReadMessageAsync()).Type);
        await connection.Completion;
        Assert.Equal(((CloseCode)4001, "you asked for it", true), (connection.CloseInfo!.Value.Code, connection.CloseInfo.Value.Reason, connection.CloseInfo.Value.IsPeerFirst));
    }

    [Fact]
    public async Task Ping_MeasuresTheRoundTrip()
    {
        var connection = await WebSocketClient.ConnectAsync(Uri("/echo"));
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
        var error = await Assert.ThrowsAsync<ArgumentException>(() => WebSocketClient.ConnectAsync(Uri("/echo"), new WebSocketClientOptions { MaxMessageBytes = 0, ConnectTimeout = TimeSpan.Zero }));
        Assert.Contains("MaxMessageBytes is '0'; it must be 1 to 2147483591 (bytes).", error.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectTimeout", error.Message, StringComparison.Ordinal);
        var twice = new WebSocketClientOptions { Subprotocols = { "a", "a" } };
        Assert.Contains("Subprotocols", (await Assert.ThrowsAsync<ArgumentException>(() => WebSocketClient.ConnectAsync(Uri("/echo"), twice))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerThatDoesNotAnswer_TimesOutAndServerThatIsNotThere_IsReported()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var time = new ManualTimeProvider();
        var uri = new Uri($"ws://{silent.LocalEndpoint}/");
        var connecting = WebSocketClient.ConnectAsync(uri, new WebSocketClientOptions { TimeProvider = time });
        using var accepted = await silent.AcceptSocketAsync();
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Contains("ConnectTimeout", (await Assert.ThrowsAsync<HandshakeException>(() => connecting)).Message, StringComparison.Ordinal);
        silent.Stop();
        var gone = await Assert.ThrowsAsync<HandshakeException>(() => WebSocketClient.ConnectAsync(uri));
        Assert.Null(gone.StatusCode);
    }

    [Fact]
    public async Task CancelledConnect_Throws()
    {
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WebSocketClient.ConnectAsync(Uri("/echo"), cancellationToken: cancel.Token));
    }

    [Fact]
    public async Task PathThatIsNotThere_Is404() =>
        Assert.Equal(404, (await Assert.ThrowsAsync<HandshakeException>(() => WebSocketClient.ConnectAsync(Uri("/nowhere")))).StatusCode);

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
