using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>An application as a user writes it, reached over one path, on a free port of 127.0.0.1. <c>/echo</c> echoes.</summary>
/// <remarks>No time limit of it passes while a test runs, however slow the machine is. It notes each connection that took another path.</remarks>
internal sealed class PathServer : IAsyncDisposable
{
    private const int LoopCount = 2;

    private static readonly TimeSpan _never = TimeSpan.FromDays(1);

    private readonly WebApplication _application;
    private readonly ConcurrentQueue<string> _strays = new();
    private readonly SocketsHttpHandler _http = new() { EnableMultipleHttp2Connections = true, UseProxy = false, SslOptions = CreateTlsOptions(SslApplicationProtocol.Http2) };
    private int _connections;

    private PathServer(ServerPath path, Action<ShockwaveOptions>? configure, Action<WebApplication>? map, Action<IServiceCollection>? addServices)
    {
        Path = path;
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(IPAddress.Loopback, 0, Listen);
        });
        builder.AddShockwave(options =>
        {
            options.Engine = EngineOf(path);
            options.Loops = LoopCount;
            options.UpgradesPerSecond = null;
            options.PingInterval = options.IdleTimeout = null;
            options.HandshakeTimeout = options.MessageTimeout = options.WriteTimeout = options.CloseTimeout = _never;
            options.Compression.Enabled = true;
            configure?.Invoke(options);
        });
        builder.Services.AddSingleton(this).AddSingleton<EchoHandler>();
        addServices?.Invoke(builder.Services);
        _application = builder.Build();
        _application.Use(CheckRequest);
        _application.MapShockwave<EchoHandler>("/echo");
        map?.Invoke(_application);
    }

    public ServerPath Path { get; }

    public IPEndPoint EndPoint { get; private set; } = null!;

    public bool IsHttp2 => Path == ServerPath.Http2ExtendedConnect;

    public bool IsTls => Path is ServerPath.Tls or ServerPath.Http2ExtendedConnect;

    public IServiceProvider Services => _application.Services;

    public static EngineKind EngineOf(ServerPath path) => path switch
    {
        ServerPath.IoUring or ServerPath.Http2ExtendedConnect => EngineKind.IoUring,
        ServerPath.Portable => EngineKind.Portable,
        _ => EngineKind.Epoll,
    };

    public static async Task<PathServer> StartAsync(
        ServerPath path, Action<ShockwaveOptions>? configure = null, Action<WebApplication>? map = null, Action<IServiceCollection>? addServices = null)
    {
        var server = new PathServer(path, configure, map, addServices);
        await server._application.StartAsync();
        server.EndPoint = new IPEndPoint(IPAddress.Loopback, new Uri(server._application.Urls.Single()).Port);
        return server;
    }

    /// <summary>Connects, up to the point where HTTP/1.1 would begin. Each send is a segment, and with TLS a record.</summary>
    public async Task<WireClient> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndPoint);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (IsTls)
        {
            var secure = new SslStream(stream);
            await secure.AuthenticateAsClientAsync(CreateTlsOptions(SslApplicationProtocol.Http11));
            stream = secure;
        }

        return new WireClient(stream, socket);
    }

    /// <summary>Opens a WebSocket.</summary>
    /// <param name="target">The endpoint.</param>
    /// <param name="headers">More lines of the opening handshake, each with its line end.</param>
    public async Task<WireClient> OpenAsync(string target = "/echo", string headers = "") => (await TryOpenAsync(target, headers)).Client;

    /// <summary>As above, with the head of the answer.</summary>
    public async Task<(WireClient Client, string Answer)> TryOpenAsync(string target, string headers)
    {
        if (IsHttp2)
        {
            var answer = await RequestAsync(target, HttpMethod.Connect, "websocket", "Sec-WebSocket-Version: 13\r\n" + headers);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return (new WireClient(await answer.Content.ReadAsStreamAsync()), $"HTTP/2 {answer}\r\n");
        }

        var client = await ConnectAsync();
        await client.SendAsync(Handshake(target, headers));
        string head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        return (client, head);
    }

    /// <summary>The opening handshake of RFC 6455 §1.2.</summary>
    public byte[] Handshake(string target = "/echo", string headers = "") => Encoding.Latin1.GetBytes(
        $"GET {target} HTTP/1.1\r\nHost: {EndPoint}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n");

    /// <summary>Sends a request over HTTP/2.</summary>
    public Task<HttpResponseMessage> RequestAsync(string target, HttpMethod method, string? protocol, string headers)
    {
        var request = new HttpRequestMessage(method, $"https://{EndPoint}{target}") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Protocol = protocol;
        foreach (string line in headers.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            request.Headers.TryAddWithoutValidation(line[..colon], line[(colon + 1)..].Trim());
        }

        return new HttpMessageInvoker(_http, disposeHandler: false).SendAsync(request, CancellationToken.None);
    }

    /// <summary>Waits until connections have been given so many bytes since the server started.</summary>
    public async Task WaitForReceivedAsync(long bytes)
    {
        while (CountReceived() < bytes)
        {
            await Task.Yield();
        }
    }

    public long CountReceived() => Services.GetRequiredService<IShockwaveServer>().GetStatistics().BytesReceived;

    /// <summary>Fails when a connection was served by another owner than the path's, or a request came by another protocol.</summary>
    public void AssertPath()
    {
        Assert.Empty(_strays);
        Assert.NotEqual(0, _connections);
    }

    /// <summary>To be called with each connection that counts.</summary>
    public void CheckConnection(WebSocketConnection connection)
    {
        Interlocked.Increment(ref _connections);
        string expected = Path switch { ServerPath.Epoll => "EpollLoop", ServerPath.IoUring => "UringLoop", _ => "Strand" };
        if (connection.Owner.GetType().Name is var owner && owner != expected)
        {
            _strays.Enqueue(owner);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _application.DisposeAsync();
    }

    private static SslClientAuthenticationOptions CreateTlsOptions(SslApplicationProtocol protocol) => new()
    {
        TargetHost = "localhost",
        ApplicationProtocols = [protocol],
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == TestCertificate.Instance.Thumbprint,
    };

    private void Listen(ListenOptions listen)
    {
        listen.Protocols = IsHttp2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
        if (IsTls)
        {
            listen.UseHttps(TestCertificate.Instance);
        }
    }

    private Task CheckRequest(HttpContext context, RequestDelegate next)
    {
        // HTTP/1.0 as well comes by HTTP/1.1's way: some handshakes are refused for it.
        if ((HttpProtocol.IsHttp2(context.Request.Protocol), context.Request.IsHttps) != (IsHttp2, IsTls))
        {
            _strays.Enqueue($"{context.Request.Protocol} {context.Request.Scheme}");
        }

        return next(context);
    }

    private sealed class EchoHandler(PathServer server) : WebSocketHandler
    {
        public override void OnOpen(WebSocketConnection connection) => server.CheckConnection(connection);

        public override void OnMessage(WebSocketConnection connection, in Message message) => connection.WriteMessage(message.Payload, message.Type);
    }
}
