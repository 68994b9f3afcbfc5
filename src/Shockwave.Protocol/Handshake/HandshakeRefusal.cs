namespace Shockwave.Protocol;

/// <summary>The HTTP answer to an opening handshake that is refused. A value, not an exception.</summary>
/// <param name="StatusCode">400, 403, 405 or 426.</param>
/// <param name="Section">The section that was violated, such as <c>RFC 6455 §4.2.1</c>.</param>
/// <param name="Reason">A short constant text for the body and the log; never contains what the client sent.</param>
public sealed record HandshakeRefusal(int StatusCode, string Section, string Reason)
{
    // RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response".
    private static readonly KeyValuePair<string, string>[] _upgrade = [new("Upgrade", "websocket"), new("Connection", "Upgrade")];

    // RFC 6455 §4.4: the versions that the server speaks go with the refusal of another one.
    private static readonly KeyValuePair<string, string>[] _version = [new("Sec-WebSocket-Version", "13")];

    // Every refusal is known beforehand, so a flood of bad requests allocates nothing here.
    internal static readonly HandshakeRefusal NotGet =
        new(405, "RFC 6455 §4.1", "the opening handshake is a GET request") { Headers = [new("Allow", "GET")] };
    internal static readonly HandshakeRefusal NotHttp11 = new(400, "RFC 6455 §4.2.1", "the opening handshake needs HTTP/1.1");
    internal static readonly HandshakeRefusal NotOneHost = new(400, "RFC 6455 §4.2.1", "exactly one Host header is required");
    internal static readonly HandshakeRefusal NoUpgrade =
        new(426, "RFC 6455 §4.2.1", "the Upgrade header does not ask for websocket") { Headers = _upgrade };
    internal static readonly HandshakeRefusal NoConnectionUpgrade =
        new(426, "RFC 6455 §4.2.1", "the Connection header does not contain Upgrade") { Headers = _upgrade };
    internal static readonly HandshakeRefusal Body = new(400, "RFC 6455 §4.1", "the opening handshake has no body");
    internal static readonly HandshakeRefusal NoVersion =
        new(400, "RFC 6455 §4.2.1", "Sec-WebSocket-Version is missing") { Headers = _version };
    internal static readonly HandshakeRefusal SeveralVersions =
        new(426, "RFC 6455 §11.3.5", "Sec-WebSocket-Version was sent more than once") { Headers = [.. _version, .. _upgrade] };
    internal static readonly HandshakeRefusal OtherVersion =
        new(426, "RFC 6455 §4.4", "Sec-WebSocket-Version is not 13") { Headers = [.. _version, .. _upgrade] };

    // RFC 9110 §15.5.22 wants Upgrade in a 426 response, and RFC 9113 §8.2.2 forbids it: so it cannot be 426.
    internal static readonly HandshakeRefusal OtherVersionOverHttp2 =
        new(400, "RFC 6455 §4.4", "Sec-WebSocket-Version is not 13") { Headers = _version };
    internal static readonly HandshakeRefusal NotOneKey = new(400, "RFC 6455 §11.3.1", "exactly one Sec-WebSocket-Key header is required");
    internal static readonly HandshakeRefusal InvalidKey = new(400, "RFC 6455 §4.2.1", "Sec-WebSocket-Key is not the base64 of 16 bytes");
    internal static readonly HandshakeRefusal InvalidSubprotocol = new(400, "RFC 6455 §4.1", "Sec-WebSocket-Protocol is not a list of tokens");
    internal static readonly HandshakeRefusal DuplicateSubprotocol = new(400, "RFC 6455 §4.1", "Sec-WebSocket-Protocol names a subprotocol twice");
    internal static readonly HandshakeRefusal Origin = new(403, "RFC 6455 §10.2", "this origin is not allowed");
    internal static readonly HandshakeRefusal OriginScheme =
        new(403, "RFC 6455 §10.2", "the origin differs from this server in http or https only: does a proxy end TLS without being trusted?");
    internal static readonly HandshakeRefusal SeveralOrigins = new(403, "RFC 6455 §10.2", "Origin was sent more than once");
    internal static readonly HandshakeRefusal NoOrigin = new(403, "RFC 6455 §10.2", "a request that a cookie authenticates needs an Origin header");

    /// <summary>Gets the headers that the answer must carry beside the status.</summary>
    /// <value>Names and values; often none.</value>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <inheritdoc />
    public override string ToString() => $"{StatusCode} {Reason} ({Section})";
}
