namespace Shockwave.Protocol;

/// <summary>Why a client refuses a server's opening handshake. A value, not an exception.</summary>
/// <param name="Section">The section that was violated, such as <c>RFC 6455 §4.1</c>.</param>
/// <param name="Reason">A short constant text; never contains what the server sent.</param>
public sealed record HandshakeViolation(string Section, string Reason)
{
    internal static readonly HandshakeViolation NotSwitching = new("RFC 6455 §4.1", "the server did not answer 101 Switching Protocols");
    internal static readonly HandshakeViolation NotWebSocket = new("RFC 6455 §4.1", "the Upgrade header of the answer is not websocket");
    internal static readonly HandshakeViolation NoConnectionUpgrade = new("RFC 6455 §4.1", "the Connection header of the answer does not contain Upgrade");
    internal static readonly HandshakeViolation NotOneAccept = new("RFC 6455 §11.3.3", "exactly one Sec-WebSocket-Accept header is required");
    internal static readonly HandshakeViolation WrongAccept = new("RFC 6455 §4.1", "Sec-WebSocket-Accept does not answer the key");
    internal static readonly HandshakeViolation SeveralSubprotocols = new("RFC 6455 §11.3.4", "Sec-WebSocket-Protocol was answered more than once");
    internal static readonly HandshakeViolation SubprotocolNotOffered = new("RFC 6455 §4.1", "the server selected a subprotocol that was not offered");

    /// <inheritdoc />
    public override string ToString() => $"{Reason} ({Section})";
}
