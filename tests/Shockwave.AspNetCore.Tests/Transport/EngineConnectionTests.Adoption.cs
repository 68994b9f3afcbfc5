using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

// Who is adopted, and who must not be.
public sealed partial class EngineConnectionTests
{
    private static readonly Dictionary<string, Action<ListenOptions>> _middlewares = new()
    {
        ["logging"] = listen => listen.UseConnectionLogging(),
        ["other pipes"] = listen => listen.Use(next => async connection =>
        {
            var original = connection.Transport;
            connection.Transport = new DuplexPipe(original.Input, original.Output);
            await next(connection);
            connection.Transport = original;
        }),
    };

    private static readonly Dictionary<string, Action<ListenOptions>> _ciphers = new()
    {
        ["other pipes"] = listen => listen.Use(next => async connection =>
        {
            var original = connection.Transport;
            connection.Transport = Invert(original);
            await next(connection);
            connection.Transport = original;
        }),
        ["another context"] = listen => listen.Use(next => connection => next(new OtherContext(connection) { Transport = Invert(connection.Transport) })),
    };

    public static TheoryData<string, EngineKind> Middlewares =>
        [.. from middleware in _middlewares.Keys from engine in new[] { EngineKind.Epoll, EngineKind.IoUring } select (middleware, engine)];

    public static TheoryData<string, EngineKind> Ciphers =>
        [.. from cipher in _ciphers.Keys from engine in new[] { EngineKind.Epoll, EngineKind.IoUring } select (cipher, engine)];

    [Theory]
    [MemberData(nameof(Middlewares))]
    public async Task BehindConnectionMiddleware_NothingIsAdoptedAndEverythingWorks(string middleware, EngineKind engine)
    {
        await using var app = await StartBehindAsync(_middlewares[middleware], engine);
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/echo");
        Assert.Equal("Strand: hello", await client.AskAsync("hello"));
        await client.SendAsync(RawFrame.Masked(0x88, RawFrame.ClosePayload(1000)));
        Assert.Equal(RawFrame.Unmasked(0x88, RawFrame.ClosePayload(1000)), await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Ciphers))]
    public async Task BehindACipher_NothingIsAdoptedAndNoFrameIsSentInClear(string cipher, EngineKind engine)
    {
        await using var app = await StartBehindAsync(_ciphers[cipher], engine);
        using var client = await RawClient.ConnectAsync(app);
        await client.SendAsync(Invert(Encoding.ASCII.GetBytes(RawClient.Handshake("/echo"))));
        await client.ReadToAsync(Encoding.Latin1.GetString(Invert("\r\n\r\n"u8)));
        await client.SendAsync(Invert(RawFrame.Masked(0x81, "hello")));
        byte[] expected = RawFrame.Unmasked(0x81, "Strand: hello");
        Assert.Equal(expected, Invert(await client.ReadAsync(expected.Length)));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task BehindTls_NothingIsAdoptedAndNoPayloadIsInClear(EngineKind engine)
    {
        await using var app = await StartBehindAsync(listen => listen.UseHttps(TestCertificate.Instance), engine);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(app.Address).Port);
        await using var wire = new CapturingStream(new NetworkStream(socket));
        await using var tls = new SslStream(wire);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", RemoteCertificateValidationCallback = (_, seen, _, _) => TestCertificate.Instance.Equals(seen) });
        await tls.WriteAsync(Encoding.ASCII.GetBytes(RawClient.Handshake("/echo")));
        await tls.WriteAsync(RawFrame.Masked(0x81, "a secret"));
        byte[] received = new byte[4096];
        int count = 0;
        while (received.AsSpan(0, count).IndexOf("Strand: a secret"u8) < 0)
        {
            count += await tls.ReadAsync(received.AsMemory(count));
        }

        byte[] captured = [.. wire.Captured];
        Assert.True(captured.Length > count);
        Assert.True(captured.AsSpan().IndexOf("a secret"u8) < 0);
        Assert.True(captured.AsSpan().IndexOf("HTTP/1.1"u8) < 0);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task MiddlewareThatWrapsTheUpgradedStream_SeesEveryFrame(EngineKind engine)
    {
        CapturingStream? seen = null;
        await using var app = await StartAsync(engine, app =>
        {
            app.Use((context, next) =>
            {
                var inner = context.Features.GetRequiredFeature<IHttpUpgradeFeature>();
                context.Features.Set<IHttpUpgradeFeature>(new WrappingUpgrade(inner, stream => seen = new CapturingStream(stream)));
                return next(context);
            });
            MapEcho(app);
        });
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/echo");
        Assert.Equal("Strand: hello", await client.AskAsync("hello"));
        Assert.Equal(RawFrame.Masked(0x81, "hello"), seen!.Captured);
    }

    [Fact]
    public async Task ConnectionsOfAnotherTransport_ArePortable()
    {
        await using var app = await TestApplication.StartAsync(MapEcho, builder => builder.Services.AddSingleton<IConnectionListenerFactory, SocketTransportFactory>());
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/echo");
        Assert.Equal("Strand: hello", await client.AskAsync("hello"));
    }

    [Fact]
    public async Task ConnectionsOfThePortableEngine_ArePortable()
    {
        await using var app = await StartAsync(EngineKind.Portable, MapEcho);
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/echo");
        Assert.Equal("Strand: hello", await client.AskAsync("hello"));
    }

    private static Task<TestApplication> StartBehindAsync(Action<ListenOptions> middleware, EngineKind engine) => TestApplication.StartAsync(
        MapEcho,
        builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(middleware)),
        ("Shockwave:Engine", engine.ToString()));

    // Says who serves the connection: the type of its owner.
    private static void MapEcho(WebApplication app) => app.MapShockwave("/echo", (connection, in message) =>
        connection.WriteMessage(Encoding.UTF8.GetBytes($"{connection.Owner.GetType().Name}: {message.GetText()}"), message.Type));

    private static DuplexPipe Invert(IDuplexPipe pipes) =>
        new(PipeReader.Create(new InvertingStream(pipes.Input.AsStream())), PipeWriter.Create(new InvertingStream(pipes.Output.AsStream())));

    private static byte[] Invert(ReadOnlySpan<byte> bytes)
    {
        byte[] inverted = bytes.ToArray();
        foreach (ref byte value in inverted.AsSpan())
        {
            value = (byte)~value;
        }

        return inverted;
    }

    private sealed class OtherContext(ConnectionContext inner) : ConnectionContext
    {
        public override string ConnectionId { get => inner.ConnectionId; set => inner.ConnectionId = value; }

        public override IFeatureCollection Features => inner.Features;

        public override IDictionary<object, object?> Items { get => inner.Items; set => inner.Items = value; }

        public override required IDuplexPipe Transport { get; set; }

        public override CancellationToken ConnectionClosed { get => inner.ConnectionClosed; set => inner.ConnectionClosed = value; }

        public override void Abort(ConnectionAbortedException abortReason) => inner.Abort(abortReason);
    }

    private sealed class WrappingUpgrade(IHttpUpgradeFeature inner, Func<Stream, Stream> wrap) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync() => wrap(await inner.UpgradeAsync());
    }

    private sealed class InvertingStream(Stream inner) : WrappingStream(inner)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await Inner.ReadAsync(buffer, cancellationToken);
            Invert(buffer.Span[..count]).CopyTo(buffer);
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Inner.WriteAsync(Invert(buffer.Span), cancellationToken);
    }

    private sealed class CapturingStream(Stream inner) : WrappingStream(inner)
    {
        public List<byte> Captured { get; } = [];

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await Inner.ReadAsync(buffer, cancellationToken);
            Captured.AddRange(buffer.Span[..count]);
            return count;
        }
    }
}
