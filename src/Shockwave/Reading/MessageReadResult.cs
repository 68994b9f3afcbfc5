namespace Shockwave;

/// <summary>What <see cref="WebSocketConnection.ReadMessageIntoAsync"/> wrote.</summary>
/// <param name="Type">The type; <see cref="MessageType.Close"/> when the connection was closed properly.</param>
/// <param name="Count">The payload's length in bytes, at the start of the caller's buffer.</param>
public readonly record struct MessageReadResult(MessageType Type, int Count);
