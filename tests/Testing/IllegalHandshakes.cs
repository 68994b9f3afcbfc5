using System.Text;

namespace Shockwave.Testing;

/// <summary>
/// Illegal opening handshakes, each with the status that answers it at <c>/echo</c>, behind Kestrel with its default limits.
/// </summary>
/// <remarks>
/// The application must set the switch <c>Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators</c>: without
/// it Kestrel takes a bare LF for the end of a line and the vectors of <see cref="BareLineFeeds"/> are accepted.
/// </remarks>
public static class IllegalHandshakes
{
    private const string RequestLine = "GET /echo HTTP/1.1";
    private const string Host = "Host: {host}";
    private const string Upgrade = "Upgrade: websocket";
    private const string Connection = "Connection: Upgrade";
    private const string Version = "Sec-WebSocket-Version: 13";
    private const string Key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

    /// <summary>Gets every vector.</summary>
    public static IReadOnlyList<IllegalHandshake> All { get; } =
        [.. Keys, .. Versions, .. Upgrades, .. Methods, .. Bodies, .. Hosts, .. Syntax, .. BareLineFeeds, .. Sizes, .. Subprotocols, .. Origins];

    /// <summary>Gets a handshake whose extensions cost a careless parser much time (CVE-2020-7662): to be answered within 5 ms.</summary>
    /// <remarks>
    /// Not among <see cref="All"/>: the quoted string does not end, which is 400 where RFC 6455 §9.1 is taken at its word,
    /// and 101 without the extension from a server that does not look at the header.
    /// </remarks>
    public static IllegalHandshake ExtensionsOf20KB { get; } =
        With("extension header of 20 KB", 101, "Sec-WebSocket-Extensions: a; b=\"" + string.Concat(Enumerable.Repeat("\\c", 10_000)));

    private static IEnumerable<IllegalHandshake> Keys =>
    [
        Of("no key", 400, RequestLine, Host, Upgrade, Connection, Version),
        WithKeys("empty key", ""),
        WithKeys("two keys", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="),
        WithKeys("two keys on one line", "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="),
        WithKeys("key of 15 bytes", "AAAAAAAAAAAAAAAAAAAA"),
        WithKeys("key of 17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA="),
        WithKeys("key of 4 KB", new string('A', 4096)),
        WithKeys("key that is not base64", "!!!!!!!!!!!!!!!!!!!!!!=="),
        WithKeys("key in base64url", "AAAAAAAAAA-_AAAAAAAAAA=="),
        WithKeys("key with a control character", "AAAAAAAAAA\u0001AAAAAAAAAAA=="),
        WithKeys("key without padding", "AAAAAAAAAAAAAAAAAAAAAA"),
        WithKeys("key with bits beside its 16 bytes", "AAAAAAAAAAAAAAAAAAAAAB=="),
    ];

    private static IEnumerable<IllegalHandshake> Versions =>
    [
        WithVersions("no version", 400),
        WithVersions("version 0", 426, "0"),
        WithVersions("version 7", 426, "7"),
        WithVersions("version 8", 426, "8"),
        WithVersions("version 12", 426, "12"),
        WithVersions("version 14", 426, "14"),
        WithVersions("version 13 with a leading zero", 426, "013"),
        WithVersions("list of versions", 426, "13, 8"),
        WithVersions("version that is empty", 426, ""),
        WithVersions("two versions", 426, "8", "13"),
        WithVersions("same version twice", 426, "13", "13"),
    ];

    private static IEnumerable<IllegalHandshake> Upgrades =>
    [
        Of("no Upgrade", 426, RequestLine, Host, Connection, Version, Key),
        Of("Upgrade to another protocol", 426, RequestLine, Host, "Upgrade: h2c", Connection, Version, Key),
        Of("Upgrade to nearly websocket", 426, RequestLine, Host, "Upgrade: websockets", Connection, Version, Key),
        Of("no Connection", 426, RequestLine, Host, Upgrade, Version, Key),
        Of("Connection with a control character", 426, RequestLine, Host, Upgrade, "Connection: Upgrade\u000B", Version, Key),
        Of("Connection keeps alive", 426, RequestLine, Host, Upgrade, "Connection: keep-alive", Version, Key),
        Of("Connection closes", 426, RequestLine, Host, Upgrade, "Connection: close", Version, Key),
        Of("plain request", 426, RequestLine, Host),
    ];

    private static IEnumerable<IllegalHandshake> Methods =>
    [
        Of("POST", 405, "POST /echo HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("PUT", 405, "PUT /echo HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("HEAD", 405, "HEAD /echo HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("OPTIONS", 405, "OPTIONS /echo HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("get in lower case", 405, "get /echo HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("HTTP/1.0", 400, "GET /echo HTTP/1.0", Host, Upgrade, Connection, Version, Key),
        Of("HTTP/1.2", 505, "GET /echo HTTP/1.2", Host, Upgrade, Connection, Version, Key),
        Of("HTTP/2.0", 505, "GET /echo HTTP/2.0", Host, Upgrade, Connection, Version, Key),
        Of("HTTP/0.9", 400, "GET /echo", Host, Upgrade, Connection, Version, Key),
    ];

    private static IEnumerable<IllegalHandshake> Bodies =>
    [
        With("body with Content-Length", 400, "Content-Length: 5", "", "hello"),
        With("body in chunks", 400, "Transfer-Encoding: chunked", "", "5\r\nhello\r\n0\r\n"),
        With("body in chunks with Content-Length", 400, "Content-Length: 5", "Transfer-Encoding: chunked", "", "0\r\n"),
        With("unknown Transfer-Encoding", 400, "Transfer-Encoding: identity"),
        With("Content-Length that is negative", 400, "Content-Length: -1"),
        With("two Content-Lengths", 400, "Content-Length: 0", "Content-Length: 5"),
        Of("POST with a body", 405, "POST /echo HTTP/1.1", Host, Upgrade, Version, Key, "Content-Length: 5", "", "hello"),
    ];

    private static IEnumerable<IllegalHandshake> Hosts =>
    [
        Of("no Host", 400, RequestLine, Upgrade, Connection, Version, Key),
        Of("empty Host", 400, RequestLine, "Host:", Upgrade, Connection, Version, Key),
        With("two Hosts", 400, "Host: evil.example"),
        With("same Host twice", 400, Host),
        Of("Host with a user", 400, RequestLine, "Host: user@{host}", Upgrade, Connection, Version, Key),
        Of("Host with a path", 400, RequestLine, "Host: {host}/evil", Upgrade, Connection, Version, Key),
        Of("Host other than the target's", 400, "GET http://evil.example/echo HTTP/1.1", Host, Upgrade, Connection, Version, Key),
    ];

    private static IEnumerable<IllegalHandshake> Syntax =>
    [
        With("NUL in a header", 400, "X-Test: a\0b"),
        With("NUL in a header's name", 400, "X-Te\0st: a"),
        With("CR in a header", 400, "X-Test: a\rb"),
        With("folded header", 400, "X-Test: a", " b"),
        With("folded first header", 400, " X-Test: a"),
        With("space before the colon", 400, "X-Test : a"),
        With("space in a header's name", 400, "X Test: a"),
        With("header without a name", 400, ": a"),
        With("header without a colon", 400, "X-Test"),
        With("byte that is not UTF-8 in a header", 400, "X-Test: \u00FF"),
        With("non-ASCII header name", 400, "X-T\u00E9st: a"),
        Of("space in the target", 400, "GET /ec ho HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("NUL in the target", 400, "GET /echo\0 HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("non-ASCII target", 400, "GET /\u00E9cho HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("no target", 400, "GET HTTP/1.1", Host, Upgrade, Connection, Version, Key),
        Of("TLS to a port without TLS", 400, "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00FC\u0003\u0003"),
    ];

    // RFC 9112 §2.2 lets a server take a bare LF for CRLF; one that does disagrees with a proxy before it that does not.
    private static IEnumerable<IllegalHandshake> BareLineFeeds =>
    [
        new("bare LF after every line", host => Encoding.Latin1.GetBytes(
            string.Join('\n', [RequestLine, $"Host: {host}", Upgrade, Connection, Version, Key, "", ""])), 400),
        With("bare LF after a header", 400, "X-Test: a\nX-Other: b"),
        With("bare LF in a subprotocol", 400, "Sec-WebSocket-Protocol: a\nX-Injected: b"),
        Of("bare LF after the request line", 400, RequestLine + "\n" + Host, Upgrade, Connection, Version, Key),
    ];

    private static IEnumerable<IllegalHandshake> Sizes =>
    [
        With("101 headers", 431, [.. Enumerable.Range(0, 96).Select(i => $"X-Test-{i}: a")]),
        With("header of 40 KB", 431, "X-Test: " + new string('a', 40 << 10)),
        With("headers of 40 KB", 431, [.. Enumerable.Range(0, 40).Select(i => $"X-Test-{i}: {new string('a', 1 << 10)}")]),
        Of("target of 9 KB", 414, "GET /echo?" + new string('a', 9 << 10) + " HTTP/1.1", Host, Upgrade, Connection, Version, Key),
    ];

    private static IEnumerable<IllegalHandshake> Subprotocols =>
    [
        With("subprotocol that is empty", 400, "Sec-WebSocket-Protocol:"),
        With("subprotocol with a quote", 400, "Sec-WebSocket-Protocol: a\"b"),
        With("subprotocol with a space", 400, "Sec-WebSocket-Protocol: a b"),
        With("subprotocol with a slash", 400, "Sec-WebSocket-Protocol: a/b"),
        With("subprotocol with CR", 400, "Sec-WebSocket-Protocol: a\rX-Injected: b"),
        With("subprotocol with an encoded line end", 400, "Sec-WebSocket-Protocol: a%0d%0aX-Injected: b"),
        With("subprotocol folded over two lines", 400, "Sec-WebSocket-Protocol: a\r\n\tX-Injected: b"),
        With("subprotocol with a control character", 400, "Sec-WebSocket-Protocol: a\u0001b"),
        With("subprotocol with DEL", 400, "Sec-WebSocket-Protocol: a\u007Fb"),
        With("subprotocol in UTF-8", 400, "Sec-WebSocket-Protocol: caf\u00C3\u00A9"),
        With("subprotocol named twice", 400, "Sec-WebSocket-Protocol: a, b, a"),
        With("subprotocol named twice on two lines", 400, "Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a"),
        With("empty element among the subprotocols", 400, "Sec-WebSocket-Protocol: a,, b"),
    ];

    private static IEnumerable<IllegalHandshake> Origins =>
    [
        WithOrigin("origin of another site", "http://evil.example"),
        WithOrigin("origin that starts like the host", "http://{host}.evil.example"),
        WithOrigin("origin that ends like the host", "http://evil{host}"),
        WithOrigin("origin in a subdomain", "http://evil.{host}"),
        WithOrigin("origin by https", "https://{host}"),
        WithOrigin("origin on another port", "http://{name}:1"),
        WithOrigin("origin without the port", "http://{name}"),
        WithOrigin("origin null", "null"),
        WithOrigin("origin that is empty", ""),
        WithOrigin("origin in upper case", "HTTP://{host}"),
        WithOrigin("origin with a trailing dot", "http://{name}.:{port}"),
        WithOrigin("origin with a trailing slash", "http://{host}/"),
        WithOrigin("origin with the host as user", "http://{host}@evil.example"),
        WithOrigin("origin with a user", "http://user@{host}"),
        WithOrigin("origin with a letter that looks alike", "http://ex\u00D0\u00B0mple.com"),
        WithOrigin("origin in punycode", "http://xn--exmple-4nf.com"),
        WithOrigin("origin with a control character", "http://{host}\u0001"),
        WithOrigin("origin of a WebSocket", "ws://{host}"),
        WithOrigin("two origins on one line", "http://{host} http://evil.example"),
        With("two origins", 403, "Origin: http://{host}", "Origin: http://evil.example"),
        With("same origin twice", 403, "Origin: http://{host}", "Origin: http://{host}"),
        With("origin of another site beside Sec-WebSocket-Origin", 403, "Origin: http://evil.example", "Sec-WebSocket-Origin: http://{host}"),
    ];

    private static IllegalHandshake WithKeys(string name, params IEnumerable<string> keys) =>
        Of(name, 400, [RequestLine, Host, Upgrade, Connection, Version, .. keys.Select(key => "Sec-WebSocket-Key: " + key)]);

    private static IllegalHandshake WithVersions(string name, int status, params IEnumerable<string> versions) =>
        Of(name, status, [RequestLine, Host, Upgrade, Connection, Key, .. versions.Select(version => "Sec-WebSocket-Version: " + version)]);

    private static IllegalHandshake WithOrigin(string name, string origin) => With(name, 403, "Origin: " + origin);

    // A legal handshake, and then these lines.
    private static IllegalHandshake With(string name, int status, params IEnumerable<string> lines) =>
        Of(name, status, [RequestLine, Host, Upgrade, Connection, Version, Key, .. lines]);

    // Latin-1: a character of the text is a byte on the wire.
    private static IllegalHandshake Of(string name, int status, params IEnumerable<string> lines)
    {
        string text = string.Join("\r\n", [.. lines, "", ""]);
        return new(name, host => Encoding.Latin1.GetBytes(text
            .Replace("{host}", host, StringComparison.Ordinal)
            .Replace("{name}", host[..host.LastIndexOf(':')], StringComparison.Ordinal)
            .Replace("{port}", host[(host.LastIndexOf(':') + 1)..], StringComparison.Ordinal)), status);
    }
}
