namespace Shockwave;

/// <summary>How a connection reaches user code. Called on the owner only; one instance serves all connections of an endpoint.</summary>
internal abstract class MessageDispatcher
{
    public abstract void Open(WebSocketConnection connection);

    public abstract void Message(WebSocketConnection connection, in Message message);

    public abstract void Drain(WebSocketConnection connection);

    /// <summary>Tells of the end.</summary>
    /// <returns>A task that ends when user code is done with the connection.</returns>
    public abstract ValueTask Close(WebSocketConnection connection, in CloseInfo info);
}
