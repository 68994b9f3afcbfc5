namespace Shockwave;

/// <summary>Calls a synchronous handler.</summary>
internal sealed class PushDispatcher(WebSocketHandler handler) : MessageDispatcher
{
    public override void Open(WebSocketConnection connection) => handler.OnOpen(connection);

    public override void Message(WebSocketConnection connection, in Message message) => handler.OnMessage(connection, message);

    public override void Drain(WebSocketConnection connection) => handler.OnDrain(connection);

    public override ValueTask Close(WebSocketConnection connection, in CloseInfo info)
    {
        handler.OnClose(connection, info);
        return default;
    }
}
