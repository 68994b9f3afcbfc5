using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.Client.Tests;

/// <summary>The opening handshake byte by byte, on every engine.</summary>
public sealed class HandshakeStreamTests : IDisposable
{
    private readonly RawServer _server = new();

    public static TheoryData<EngineKind> Engines => [EngineKind.Epoll, EngineKind.IoUring, EngineKind.Portable];

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task BytesRightBehindTheAnswer_AreTheFirstMessages(EngineKind engine)
    {
        var connecting = ConnectAsync(engine);
        using var peer = await _server.AcceptAsync();
        byte[] large = [.. Enumerable.Range(0, 60_000).Select(i => (byte)i)];
        await peer.SendAsync([.. peer.Answer, .. RawFrame.Unmasked(0x81, "first\r\n\r\n"), .. RawFrame.Unmasked(0x82, large), .. RawFrame.Unmasked(0x81, "last")]);
        var connection = await connecting;
        Assert.Equal("first\r\n\r\n", (await connection.ReadMessageAsync()).GetText());
        Assert.Equal(large, (await connection.ReadMessageAsync()).Payload.ToArray());
        Assert.Equal("last", (await connection.ReadMessageAsync()).GetText());
        connection.Abort();
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task AnswerInSegmentsOfOneByte_IsTheSameAnswer(EngineKind engine)
    {
        var connecting = ConnectAsync(engine);
        using var peer = await _server.AcceptAsync();
        foreach (byte value in (byte[])[.. "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"u8, .. peer.Answer, .. RawFrame.Unmasked(0x81, "hello")])
        {
            await peer.SendAsync(value);
        }

        var connection = await connecting;
        Assert.Equal("hello", (await connection.ReadMessageAsync()).GetText());
        connection.Abort();
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task MessagesAndEndRightBehindTheAnswer_AreBothSeen(EngineKind engine)
    {
        var connecting = ConnectAsync(engine);
        using (var peer = await _server.AcceptAsync())
        {
            await peer.SendAsync([.. peer.Answer, .. RawFrame.Unmasked(0x81, "bye"), .. RawFrame.Unmasked(0x88, RawFrame.ClosePayload(1001))]);
        }

        var connection = await connecting;
        Assert.Equal("bye", (await connection.ReadMessageAsync()).GetText());
        Assert.Equal(MessageType.Close, (await connection.ReadMessageAsync()).Type);
        await connection.Completion;
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ServerThatLeavesDuringTheHandshake_IsReported(EngineKind engine)
    {
        foreach (int count in (int[])[0, 1, 50])
        {
            using var server = new RawServer();
            var connecting = WebSocketClient.ConnectAsync(server.Uri, new WebSocketClientOptions { Engine = engine });
            var leaving = LeaveAlwaysAsync(server, count);
            var error = await Assert.ThrowsAsync<HandshakeException>(() => connecting);
            Assert.Null(error.StatusCode);
            Assert.DoesNotContain("ConnectTimeout", error.Message, StringComparison.Ordinal);
            server.Dispose();
            await Assert.ThrowsAnyAsync<Exception>(() => leaving);
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task HeadThatDoesNotEnd_IsRefused(EngineKind engine)
    {
        var connecting = ConnectAsync(engine);
        using var peer = await _server.AcceptAsync();
        await peer.SendAsync("HTTP/1.1 101 Switching Protocols\r\n"u8.ToArray());
        byte[] line = Encoding.ASCII.GetBytes($"A: {new string('a', 1000)}\r\n");
        var sending = SendForEverAsync(peer, line);
        await Assert.ThrowsAsync<HandshakeException>(() => connecting);
        await Assert.ThrowsAsync<IOException>(() => sending);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task RefusalWithABody_IsReportedWithItsStatus_AndTheConnectionEnds(EngineKind engine)
    {
        var connecting = ConnectAsync(engine);
        using var peer = await _server.AcceptAsync();
        await peer.SendAsync("HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nno\n\nnot you"u8.ToArray());
        Assert.Equal(403, (await Assert.ThrowsAsync<HandshakeException>(() => connecting)).StatusCode);
        await peer.ReadToEndAsync();
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task CancelDuringTheConnect_EndsIt(EngineKind engine)
    {
        // A queue of none has room for one; the kernel drops what asks for a place behind it.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using var first = new TcpClient();
        await first.ConnectAsync((IPEndPoint)listener.LocalEndPoint!);
        using var cancel = new CancellationTokenSource();
        var connecting = WebSocketClient.ConnectAsync(new Uri($"ws://{listener.LocalEndPoint}/"), new WebSocketClientOptions { Engine = engine }, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task CancelDuringTheAnswer_EndsTheConnection(EngineKind engine)
    {
        using var cancel = new CancellationTokenSource();
        var connecting = ConnectAsync(engine, cancel.Token);
        using var peer = await _server.AcceptAsync();
        await peer.SendAsync(peer.Answer[..40]);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        await peer.ReadToEndAsync();
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task CancelAfterTheConnect_ChangesNothing(EngineKind engine)
    {
        using var cancel = new CancellationTokenSource();
        var connecting = ConnectAsync(engine, cancel.Token);
        using var peer = await _server.AcceptAsync();
        await peer.SendAsync(peer.Answer);
        var connection = await connecting;
        await cancel.CancelAsync();
        await peer.SendAsync(RawFrame.Unmasked(0x81, "still here"));
        Assert.Equal("still here", (await connection.ReadMessageAsync()).GetText());
        connection.Abort();
    }

    [Theory]
    [InlineData(EngineKind.Auto, true)]
    [InlineData(EngineKind.Epoll, true)]
    [InlineData(EngineKind.IoUring, true)]
    [InlineData(EngineKind.Portable, false)]
    public async Task Connection_IsServedByALoopUnlessItIsNotWanted(EngineKind engine, bool isOnLoop)
    {
        var handler = new ThreadName();
        var connecting = WebSocketClient.ConnectAsync(_server.Uri, handler, new WebSocketClientOptions { Engine = engine });
        using var peer = await _server.AcceptAsync();
        await peer.SendAsync(peer.Answer);
        var connection = await connecting;
        Assert.Equal(isOnLoop, (await handler.Name)?.StartsWith("Shockwave client loop", StringComparison.Ordinal) ?? false);
        Assert.Equal(_server.Uri.Port, ((IPEndPoint)connection.RemoteEndPoint!).Port);
        connection.Abort();
    }

    [Fact]
    public async Task ConnectionThroughAProxy_TakesThePortablePath()
    {
        var handler = new ThreadName();
        var options = new WebSocketClientOptions { Proxy = new WebProxy(_server.Uri.Host, _server.Uri.Port) };
        var connecting = WebSocketClient.ConnectAsync(new Uri("ws://example.invalid/"), handler, options);
        using var peer = await _server.AcceptAsync();
        Assert.Contains("example.invalid", peer.Request, StringComparison.Ordinal);
        await peer.SendAsync(peer.Answer);
        var connection = await connecting;
        Assert.DoesNotContain("loop", await handler.Name ?? "", StringComparison.Ordinal);
        connection.Abort();
    }

    [Theory]
    [InlineData(EngineKind.Epoll)]
    [InlineData(EngineKind.IoUring)]
    [SuppressMessage("ApiDesign", "RS0030", Justification = "What a collection leaves is what is asked for.")]
    public async Task OnALoop_NothingOfTheHandshakeStaysAlive(EngineKind engine)
    {
        var (connection, peer, options) = await ConnectAndForgetAsync(engine);

        // Whatever completed the task is still below us on the stack, with all that it had.
        await Task.Yield();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                return !options.IsAlive;
            },
            ChildProcess.Patience));
        await peer.SendAsync(RawFrame.Unmasked(0x81, "alive"));
        Assert.Equal("alive", (await connection.ReadMessageAsync()).GetText());
        connection.Abort();
        peer.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<(WebSocketConnection Connection, RawConnection Peer, WeakReference Options)> ConnectAndForgetAsync(EngineKind engine)
    {
        var options = new WebSocketClientOptions { Engine = engine };
        var connecting = WebSocketClient.ConnectAsync(_server.Uri, options);
        var peer = await _server.AcceptAsync();
        await peer.SendAsync(peer.Answer);
        return (await connecting, peer, new WeakReference(options));
    }

    // Of a server that leaves without a byte the HTTP stack thinks that another try may help.
    private static async Task LeaveAlwaysAsync(RawServer server, int count)
    {
        while (true)
        {
            using var peer = await server.AcceptAsync();
            await peer.SendAsync(peer.Answer[..count]);
        }
    }

    private static async Task SendForEverAsync(RawConnection peer, byte[] line)
    {
        while (true)
        {
            await peer.SendAsync(line);
        }
    }

    private Task<WebSocketConnection> ConnectAsync(EngineKind engine, CancellationToken cancellationToken = default) =>
        WebSocketClient.ConnectAsync(_server.Uri, new WebSocketClientOptions { Engine = engine }, cancellationToken);

    private sealed class ThreadName : WebSocketHandler
    {
        private readonly TaskCompletionSource<string?> _name = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string?> Name => _name.Task;

        public override void OnOpen(WebSocketConnection connection) => _name.TrySetResult(Thread.CurrentThread.Name);

        public override void OnMessage(WebSocketConnection connection, in Message message)
        {
        }
    }
}
