namespace Shockwave;

/// <summary>Handles the messages of an endpoint as they come: the fastest way, without a copy or a hop.</summary>
/// <remarks>
/// Each method runs on the connection's owner, one at a time for each connection, under a clean ExecutionContext. It must not block:
/// other connections of the owner wait meanwhile. What it throws closes that one connection with 1011.
/// </remarks>
public abstract class WebSocketHandler : MessageHandler
{
    /// <summary>A connection was opened; no message was read from it yet.</summary>
    /// <param name="connection">The connection.</param>
    public virtual void OnOpen(WebSocketConnection connection)
    {
    }

    /// <summary>A whole message was received.</summary>
    /// <param name="connection">The connection it came on.</param>
    /// <param name="message">The message, valid during the call.</param>
    public abstract void OnMessage(WebSocketConnection connection, in Message message);

    /// <summary>Everything buffered for the peer was sent, after more than the high watermark had been buffered.</summary>
    /// <param name="connection">The connection.</param>
    public virtual void OnDrain(WebSocketConnection connection)
    {
    }

    /// <summary>The connection has ended. Called once, last, for each connection for which <see cref="OnOpen"/> was called.</summary>
    /// <param name="connection">The connection; nothing can be sent on it any more.</param>
    /// <param name="info">How it ended.</param>
    public virtual void OnClose(WebSocketConnection connection, in CloseInfo info)
    {
    }

    internal sealed override MessageDispatcher CreateDispatcher() => new PushDispatcher(this);
}
