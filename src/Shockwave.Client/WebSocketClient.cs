using System.Net.Sockets;
using System.Security.Cryptography;
using Shockwave.Client;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>Connects to WebSocket servers. Thread-safe.</summary>
public static class WebSocketClient
{
    private const int NonceBytes = 16;

    /// <summary>Connects; messages are then read with <see cref="WebSocketConnection.ReadMessageAsync"/> or <see cref="WebSocketConnection.ReadMessageIntoAsync"/>.</summary>
    /// <param name="uri">An absolute <c>ws</c> or <c>wss</c> URI without a fragment (RFC 6455 §3).</param>
    /// <param name="options">The options; the defaults when omitted.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The open connection. Close or abort it in the end.</returns>
    /// <exception cref="ArgumentException"><paramref name="uri"/> or an option is not valid; the message says which and why.</exception>
    /// <exception cref="HandshakeException">The server could not be reached, or refused, or answered wrongly.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<WebSocketConnection> ConnectAsync(Uri uri, WebSocketClientOptions? options = null, CancellationToken cancellationToken = default) =>
        ConnectAsync(uri, new PullDispatcher(serve: null), options ?? new WebSocketClientOptions(), cancellationToken);

    /// <summary>Connects; messages go to a handler.</summary>
    /// <param name="uri">An absolute <c>ws</c> or <c>wss</c> URI without a fragment (RFC 6455 §3).</param>
    /// <param name="handler">Gets the messages. May serve several connections.</param>
    /// <param name="options">The options; the defaults when omitted.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The open connection. Close or abort it in the end.</returns>
    /// <exception cref="ArgumentException"><paramref name="uri"/> or an option is not valid; the message says which and why.</exception>
    /// <exception cref="HandshakeException">The server could not be reached, or refused, or answered wrongly.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<WebSocketConnection> ConnectAsync(
        Uri uri, MessageHandler handler, WebSocketClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return ConnectAsync(uri, handler.CreateDispatcher(), options ?? new WebSocketClientOptions(), cancellationToken);
    }

    private static async Task<WebSocketConnection> ConnectAsync(
        Uri uri, MessageDispatcher dispatcher, WebSocketClientOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(uri);
        CheckUri(uri);
        WebSocketClientOptionRules.Check(options);
        var settings = new ConnectionSettings(options, options.TimeProvider);
        var exchange = new HandshakeExchange(uri, options, CreateKey());

        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var upgrade = await exchange.RunAsync(either.Token).ConfigureAwait(false);
            return await exchange.OpenAsync(
                (shard, transport) =>
                {
                    var connection = new WebSocketConnection(shard, transport, EndpointRole.Client, settings, dispatcher, upgrade);
                    if (dispatcher is PullDispatcher)
                    {
                        connection.Reads = new MessageReads(connection);
                    }

                    return connection;
                },
                neverPauses: dispatcher is PushDispatcher).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            exchange.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw e switch
            {
                HandshakeException => e,
                OperationCanceledException => new HandshakeException($"it took longer than {nameof(WebSocketClientOptions.ConnectTimeout)}", innerException: e),
                HttpRequestException or IOException or SocketException => new HandshakeException("the server could not be reached", innerException: e),
                _ => e,
            };
        }
    }

    private static void CheckUri(Uri uri)
    {
        if (!uri.IsAbsoluteUri || uri.Scheme is not ("ws" or "wss"))
        {
            throw new ArgumentException("The URI must be absolute with the scheme ws or wss.", nameof(uri));
        }

        if (uri.Fragment.Length > 0)
        {
            throw new ArgumentException("RFC 6455 §3: the URI must not have a fragment.", nameof(uri));
        }
    }

    private static string CreateKey()
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        RandomNumberGenerator.Fill(nonce);
        return AcceptKey.CreateKey(nonce);
    }
}
