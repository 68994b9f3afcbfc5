namespace Shockwave.Protocol;

/// <summary>What <see cref="ClientHandshake"/> looks at in a server's opening handshake (RFC 6455 §4.2.2), as an HTTP/1.1 client parsed it.</summary>
public readonly struct HandshakeResponse
{
    /// <summary>Gets the status code; 101 accepts.</summary>
    public required int StatusCode { get; init; }

    /// <summary>Gets the Upgrade header.</summary>
    public HeaderValues Upgrade { get; init; }

    /// <summary>Gets the Connection header.</summary>
    public HeaderValues Connection { get; init; }

    /// <summary>Gets the Sec-WebSocket-Accept header.</summary>
    public HeaderValues SecWebSocketAccept { get; init; }

    /// <summary>Gets the Sec-WebSocket-Protocol header: the subprotocol that the server selected.</summary>
    public HeaderValues SecWebSocketProtocol { get; init; }
}
