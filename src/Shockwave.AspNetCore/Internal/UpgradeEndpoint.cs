using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave.AspNetCore;

/// <summary>Answers opening handshakes at one endpoint and serves the connections that come of them.</summary>
internal sealed class UpgradeEndpoint(ShockwaveRuntime runtime, MessageDispatcher dispatcher)
{
    private const string WebSocketProtocol = "websocket";

    public async Task ServeAsync(HttpContext context)
    {
        if (runtime.Server.IsStopping)
        {
            await RefuseAsync(context, RefusalReason.Stopping, StatusCodes.Status503ServiceUnavailable, "The server is stopping: connect again shortly.").ConfigureAwait(false);
            return;
        }

        var extendedConnect = context.Features.Get<IHttpExtendedConnectFeature>();
        bool isExtendedConnect = extendedConnect is { IsExtendedConnect: true, Protocol: WebSocketProtocol };
        if (FindRefusal(context, isExtendedConnect) is { } refusal)
        {
            foreach (var (name, value) in refusal.Headers)
            {
                context.Response.Headers.Append(name, value);
            }

            // Whoever sends such a request may be out of step with us about where it ends: nothing more is read from that connection.
            context.Response.Headers.Append(HeaderNames.Connection, "close");

            var reason = refusal.StatusCode == StatusCodes.Status403Forbidden ? RefusalReason.Origin : RefusalReason.InvalidHandshake;
            await RefuseAsync(context, reason, refusal.StatusCode, Explain(refusal)).ConfigureAwait(false);
            return;
        }

        using var reservation = runtime.Limits.TryReserve(context.Connection.RemoteIpAddress, out var limit);
        if (reservation is null)
        {
            await runtime.Refusals.AnswerAsync(context, limit!).ConfigureAwait(false);
            return;
        }

        var messages = isExtendedConnect ? null : FindMessageSource(context);
        var upgrade = NegotiateUpgrade(context, mayCompress: messages is null);
        Stream stream;
        try
        {
            stream = isExtendedConnect
                ? await extendedConnect!.AcceptAsync().ConfigureAwait(false)
                : await UpgradeAsync(context, messages, upgrade).ConfigureAwait(false);
        }
        catch (InvalidOperationException) when (!context.Response.HasStarted)
        {
            // Kestrel's MaxConcurrentUpgradedConnections is reached: it counts what other middleware upgrades as well.
            context.Response.Headers.Clear();
            await RefuseAsync(
                context, RefusalReason.Connections, StatusCodes.Status503ServiceUnavailable, "The server has as many upgraded connections as it may. Try again later.").ConfigureAwait(false);
            return;
        }

        // A loop takes the socket over when Kestrel lets go of it, and that needs this request to end.
        if (!isExtendedConnect && context.Features.Get<EngineConnection>() is { } connection && connection.CanBeAdopted(context, stream))
        {
            connection.RequestAdoption(runtime, dispatcher, upgrade);
            reservation.Commit();
            return;
        }

        await ServeAsync(context, stream, upgrade, reservation).ConfigureAwait(false);
    }

    private async Task ServeAsync(HttpContext context, Stream stream, UpgradeDetails upgrade, ConnectionReservation reservation)
    {
        var shard = runtime.Server.NextShard();
        var transport = stream is FramedWebSocketStream ? new StreamTransport(shard.Owner, stream) : new UpgradedTransport(shard.Owner, stream, context);
        var connection = runtime.Server.Accept(shard, transport, dispatcher, upgrade);
        reservation.Commit();
        await connection.Completion.ConfigureAwait(false);
    }

    private static async Task<Stream> UpgradeAsync(HttpContext context, IHttpWebSocketFeature? messages, UpgradeDetails upgrade)
    {
        if (messages is not null)
        {
            return new FramedWebSocketStream(await messages.AcceptAsync(new WebSocketAcceptContext { SubProtocol = upgrade.Subprotocol }).ConfigureAwait(false));
        }

        var headers = context.Response.Headers;
        headers.Upgrade = WebSocketProtocol;
        headers.Connection = HeaderNames.Upgrade;
        headers.SecWebSocketAccept = AcceptKey.Compute(context.Request.Headers.SecWebSocketKey.ToString());
        return await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync().ConfigureAwait(false);
    }

    // TestServer upgrades to messages and not to bytes. Elsewhere this is what UseWebSockets puts over the bytes, which we take ourselves.
    private static IHttpWebSocketFeature? FindMessageSource(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } ? null
            : context.Features.Get<IHttpWebSocketFeature>() is { IsWebSocketRequest: true } messages ? messages
            : null;

    private HandshakeRefusal? FindRefusal(HttpContext context, bool isExtendedConnect)
    {
        var request = context.Request;
        var headers = request.Headers;
        var refusal = isExtendedConnect
            ? ServerHandshake.ValidateExtendedConnect(Lines(headers.SecWebSocketVersion), Lines(headers.SecWebSocketProtocol))
            : ServerHandshake.Validate(new HandshakeRequest
            {
                Method = request.Method,
                HttpVersion = request.Protocol,
                Host = Lines(headers.Host),
                Upgrade = Lines(headers.Upgrade),
                Connection = Lines(headers.Connection),
                SecWebSocketVersion = Lines(headers.SecWebSocketVersion),
                SecWebSocketKey = Lines(headers.SecWebSocketKey),
                SecWebSocketProtocol = Lines(headers.SecWebSocketProtocol),
                HasBody = request.ContentLength > 0 || headers.TransferEncoding.Count > 0,
            });
        if (refusal is not null)
        {
            return refusal;
        }

        var verdict = runtime.Origins.Check(Lines(headers.Origin), request.IsHttps, request.Host.Value);
        return OriginPolicy.GetRefusal(verdict, IsCookieAuthenticated(context));
    }

    private static HeaderValues Lines(StringValues header) => new((IReadOnlyList<string?>)header);

    // A cookie goes with every request that a browser makes for the page's server, whoever wrote the page; a bearer token does not.
    private static bool IsCookieAuthenticated(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true } && context.Request.Headers.Cookie.Count > 0 && context.Request.Headers.Authorization.Count == 0;

    private UpgradeDetails NegotiateUpgrade(HttpContext context, bool mayCompress)
    {
        var request = context.Request.Headers;
        string? subprotocol = SubprotocolSelector.Select(Lines(request.SecWebSocketProtocol), [.. runtime.Options.Subprotocols]);
        if (subprotocol is not null)
        {
            context.Response.Headers.SecWebSocketProtocol = subprotocol;
        }

        PermessageDeflateParameters? compression = null;
        if (mayCompress && TryAcceptCompression(request.SecWebSocketExtensions.ToArray(), out var agreed, out string? response))
        {
            context.Response.Headers.SecWebSocketExtensions = response;
            compression = agreed;
        }

        var routeValues = context.Request.RouteValues;
        var address = context.Connection.RemoteIpAddress;
        return new UpgradeDetails
        {
            Subprotocol = subprotocol,
            Compression = compression,
            User = context.User.Identity is { IsAuthenticated: true } ? context.User.Clone() : null,
            RouteValues = routeValues.Count == 0 ? UpgradeDetails.None.RouteValues : new Dictionary<string, object?>(routeValues, StringComparer.OrdinalIgnoreCase),
            RemoteEndPoint = address is null ? null : new IPEndPoint(address, context.Connection.RemotePort),
            TraceContext = Activity.Current?.Context ?? default,
        };
    }

    private bool TryAcceptCompression(string?[] header, out PermessageDeflateParameters agreed, [NotNullWhen(true)] out string? response)
    {
        agreed = default;
        response = null;

        // A header that is not well formed offers nothing: RFC 6455 lets the server decline any extension.
        return runtime.Compression is not null
            && ExtensionHeader.TryParse([.. header.OfType<string>()], out var offers, out _)
            && runtime.Compression.TryAccept(offers, out agreed, out response);
    }

    private static string Explain(HandshakeRefusal refusal)
    {
        string? advice = refusal switch
        {
            _ when refusal == OriginPolicy.GetRefusal(OriginVerdict.RefusedSchemeOnlyDiffers, false) =>
                "Name the proxy in ForwardedHeadersOptions.KnownProxies and call UseForwardedHeaders, so that its X-Forwarded-Proto is trusted.",
            { StatusCode: StatusCodes.Status403Forbidden } =>
                $"List the page's origin in {ShockwaveOptions.SectionName}:{nameof(ShockwaveOptions.AllowedOrigins)} to let it connect.",
            _ => null,
        };
        return advice is null ? $"{refusal.Reason}." : $"{refusal.Reason}. {advice}";
    }

    private Task RefuseAsync(HttpContext context, RefusalReason reason, int statusCode, string text) =>
        runtime.Refusals.AnswerAsync(context, new Refusal(reason, statusCode, text));
}
