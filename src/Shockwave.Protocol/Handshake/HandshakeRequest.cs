namespace Shockwave.Protocol;

/// <summary>What <see cref="ServerHandshake"/> looks at in a client's opening handshake (RFC 6455 §4.2.1), as an HTTP/1.1 server parsed it.</summary>
public readonly struct HandshakeRequest
{
    /// <summary>Gets the method, in the case it was sent in.</summary>
    public required string Method { get; init; }

    /// <summary>Gets the version as the request line has it: <c>HTTP/1.1</c>.</summary>
    public required string HttpVersion { get; init; }

    /// <summary>Gets the Host header.</summary>
    public HeaderValues Host { get; init; }

    /// <summary>Gets the Upgrade header.</summary>
    public HeaderValues Upgrade { get; init; }

    /// <summary>Gets the Connection header.</summary>
    public HeaderValues Connection { get; init; }

    /// <summary>Gets the Sec-WebSocket-Version header.</summary>
    public HeaderValues SecWebSocketVersion { get; init; }

    /// <summary>Gets the Sec-WebSocket-Key header.</summary>
    public HeaderValues SecWebSocketKey { get; init; }

    /// <summary>Gets the Sec-WebSocket-Protocol header: the subprotocols that the client offers.</summary>
    public HeaderValues SecWebSocketProtocol { get; init; }

    /// <summary>Gets a value indicating whether a body is announced: a Transfer-Encoding, or a Content-Length other than 0.</summary>
    public bool HasBody { get; init; }
}
