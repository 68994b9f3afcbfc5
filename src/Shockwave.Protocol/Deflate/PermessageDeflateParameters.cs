namespace Shockwave.Protocol;

/// <summary>What both endpoints agreed on for permessage-deflate (RFC 7692 §7.1). A value.</summary>
/// <param name="ServerNoContextTakeover">Whether each message from the server stands alone.</param>
/// <param name="ClientNoContextTakeover">Whether each message from the client stands alone.</param>
/// <param name="ServerMaxWindowBits">The window of messages from the server as a power of two, 8 to 15.</param>
/// <param name="ClientMaxWindowBits">The window of messages from the client as a power of two, 8 to 15.</param>
/// <remarks>
/// The window of an endpoint's own messages is what it will use, which may be less than the peer was told. 8 occurs only as the peer's
/// window: it is decompressed with 9, which reaches further and so always works.
/// </remarks>
public readonly record struct PermessageDeflateParameters(
    bool ServerNoContextTakeover, bool ClientNoContextTakeover, int ServerMaxWindowBits, int ClientMaxWindowBits);
