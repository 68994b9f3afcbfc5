using System.Net;
using System.Net.Sockets;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave.Client;

/// <summary>One opening handshake of a client, through the runtime's HTTP stack: proxy, TLS and cookies are its business. Redirects are not followed.</summary>
/// <remarks>
/// Holds what the connection then runs on; disposing it closes that. Where the server is reached directly, without TLS or a proxy, and there
/// is an event loop, that is a socket of the loop, which <see cref="OpenAsync"/> takes out of it.
/// </remarks>
internal sealed class HandshakeExchange(Uri uri, WebSocketClientOptions options, string key) : IDisposable
{
    private readonly CancellationTokenSource _disposing = new();
    private readonly bool _isDirect = uri.Scheme == "ws" && IsDirect(options.Proxy ?? HttpClient.DefaultProxy, uri);
    private HttpMessageInvoker? _invoker;
    private HttpResponseMessage? _response;
    private Socket? _socket;
    private HandshakeStream? _engineStream;

    /// <summary>Gets the stream after the answer's head.</summary>
    public Stream Stream { get; private set; } = Stream.Null;

    /// <summary>Gets the socket where its bytes are the stream's: not behind TLS or a proxy.</summary>
    public Socket? PlainSocket => uri.Scheme == "ws" ? _socket : null;

    /// <summary>Sends the request and checks the answer.</summary>
    /// <exception cref="HandshakeException">The server refused or answered wrongly.</exception>
    public async Task<UpgradeDetails> RunAsync(CancellationToken cancellationToken)
    {
        var negotiation = CreateNegotiation();
        using var request = CreateRequest(negotiation);
        _invoker = new HttpMessageInvoker(CreateHandler(), disposeHandler: true);
        _response = await _invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);

        var violation = ClientHandshake.Validate(
            new HandshakeResponse
            {
                StatusCode = (int)_response.StatusCode,
                Upgrade = Header("Upgrade"),
                Connection = Header("Connection"),
                SecWebSocketAccept = Header("Sec-WebSocket-Accept"),
                SecWebSocketProtocol = Header("Sec-WebSocket-Protocol"),
            },
            key,
            [.. options.Subprotocols]);
        if (violation is not null)
        {
            throw new HandshakeException(violation.ToString(), (int)_response.StatusCode);
        }

        var compression = ConfirmExtensions(negotiation);
        Stream = await _response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return new UpgradeDetails
        {
            Subprotocol = Header("Sec-WebSocket-Protocol").FirstOrDefault(),
            Compression = compression,
            RemoteEndPoint = _engineStream?.RemoteEndPoint ?? _socket?.RemoteEndPoint,
        };
    }

    /// <summary>Begins the connection on what the handshake left.</summary>
    /// <param name="create">Makes it, on its owner or before that has it.</param>
    /// <param name="neverPauses">See <see cref="SocketTransport.NeverPauses"/>.</param>
    public async Task<WebSocketConnection> OpenAsync(Func<Shard, Transport, WebSocketConnection> create, bool neverPauses)
    {
        if (_engineStream is not null)
        {
            var onLoop = await _engineStream.HandOverAsync(create, neverPauses).ConfigureAwait(false);

            // Nothing of the HTTP stack is needed any more, and nothing of it has the socket.
            Dispose();
            return onLoop;
        }

        var shard = ClientShards.NextStrand(options.TimeProvider);
        var connection = create(shard, new ClientTransport(shard.Owner, this));
        connection.Start();
        return connection;
    }

    public void Dispose()
    {
        // A connect may still be under way, also after the request was given up: it ends here.
        _disposing.Cancel();
        _response?.Dispose();
        _invoker?.Dispose();
        _socket?.Dispose();
        _engineStream?.Dispose();
    }

    private static bool IsDirect(IWebProxy proxy, Uri uri)
    {
        var http = HttpUri(uri);
        try
        {
            return proxy.IsBypassed(http) || proxy.GetProxy(http) is null;
        }
        catch (Exception)
        {
            // An application's proxy: what becomes of its failure is decided where it is asked again.
            return false;
        }
    }

    private static Uri HttpUri(Uri uri) => new UriBuilder(uri) { Scheme = uri.Scheme == "wss" ? "https" : "http", Port = uri.Port }.Uri;

    private PermessageDeflate? CreateNegotiation() => !options.Compression.Enabled ? null : new PermessageDeflate(
        new PermessageDeflateOptions
        {
            AllowClientContextTakeover = options.Compression.AllowContextTakeover,
            AllowServerContextTakeover = options.Compression.AllowPeerContextTakeover,
            ClientMaxWindowBits = options.Compression.MaxWindowBits,
            CompressionLevel = options.Compression.Level,
        },
        DeflateProvider.Current);

    private HttpRequestMessage CreateRequest(PermessageDeflate? negotiation)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, HttpUri(uri)) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var headers = request.Headers;
        headers.TryAddWithoutValidation("Connection", "Upgrade");
        headers.TryAddWithoutValidation("Upgrade", "websocket");
        headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        headers.TryAddWithoutValidation("Sec-WebSocket-Key", key);
        if (options.Subprotocols.Count > 0)
        {
            headers.TryAddWithoutValidation("Sec-WebSocket-Protocol", string.Join(", ", options.Subprotocols));
        }

        if (negotiation is not null)
        {
            headers.TryAddWithoutValidation("Sec-WebSocket-Extensions", negotiation.Offer);
        }

        foreach (var (name, value) in options.Headers)
        {
            headers.Add(name, value);
        }

        return request;
    }

    private SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = options.Cookies is not null,
            UseProxy = !_isDirect,
            ConnectCallback = ConnectAsync,
        };
        if (options.Cookies is not null)
        {
            handler.CookieContainer = options.Cookies;
        }

        if (options.Proxy is not null)
        {
            handler.Proxy = options.Proxy;
        }

        if (options.Tls is not null)
        {
            handler.SslOptions = options.Tls;
        }

        return handler;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        // Called again for another try, and perhaps after the exchange was given up: each call answers for its own socket.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposing.Token);
        if (_isDirect && ClientShards.NextLoop(options.TimeProvider, options.Engine) is { } shard)
        {
            return await ConnectOnLoopAsync(shard, context.DnsEndPoint, either.Token).ConfigureAwait(false);
        }

        var socket = _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, either.Token).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<HandshakeStream> ConnectOnLoopAsync(Shard shard, DnsEndPoint server, CancellationToken cancellationToken)
    {
        var stream = _engineStream = await HandshakeStream.ConnectAsync(shard, server, cancellationToken).ConfigureAwait(false);
        if (cancellationToken.IsCancellationRequested)
        {
            // The answer was faster than the cancel, and whoever disposed us may not have seen the stream.
            await stream.DisposeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return stream;
    }

    private PermessageDeflateParameters? ConfirmExtensions(PermessageDeflate? negotiation)
    {
        string[] header = Header("Sec-WebSocket-Extensions");
        if (!ExtensionHeader.TryParse(header, out var extensions, out string? error))
        {
            throw new HandshakeException(error, (int)_response!.StatusCode);
        }

        if (negotiation is null)
        {
            // RFC 6455 §4.1: an extension that was not offered fails the connection.
            return extensions.Count == 0 ? null : throw new HandshakeException("the server accepted an extension that was not offered", (int)_response!.StatusCode);
        }

        return negotiation.TryConfirm(extensions, out var agreed, out error) ? agreed : throw new HandshakeException(error, (int)_response!.StatusCode);
    }

    private string[] Header(string name) => _response!.Headers.TryGetValues(name, out var values) ? [.. values] : [];
}
