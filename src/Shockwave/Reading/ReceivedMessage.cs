using System.Text;

namespace Shockwave;

/// <summary>What <see cref="WebSocketConnection.ReadMessageAsync"/> returns: a message in an array of its own, or the close.</summary>
/// <param name="Type">The type; <see cref="MessageType.Close"/> when the connection was closed properly.</param>
/// <param name="Payload">The whole payload, the caller's to keep; empty for <see cref="MessageType.Close"/>.</param>
public readonly record struct ReceivedMessage(MessageType Type, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Decodes the payload as text. Allocates the string.</summary>
    /// <returns>The text.</returns>
    public string GetText() => Encoding.UTF8.GetString(Payload.Span);
}
