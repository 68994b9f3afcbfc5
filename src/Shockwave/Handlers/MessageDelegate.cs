namespace Shockwave;

/// <summary>A synchronous handler in one line. The rules of <see cref="WebSocketHandler.OnMessage"/> apply.</summary>
/// <param name="connection">The connection that the message came on.</param>
/// <param name="message">The message, valid during the call.</param>
public delegate void MessageDelegate(WebSocketConnection connection, in Message message);

/// <summary>A handler made of one delegate.</summary>
internal sealed class DelegateHandler(MessageDelegate onMessage) : WebSocketHandler
{
    public override void OnMessage(WebSocketConnection connection, in Message message) => onMessage(connection, message);
}
