namespace Shockwave;

/// <summary>Handles the messages of an endpoint with asynchronous code.</summary>
/// <remarks>
/// Each method starts on the connection's owner under a clean ExecutionContext; what follows its first incomplete <c>await</c> runs on
/// the thread pool. Until its task completes no further message of that connection is read: order is kept, and a peer that sends faster
/// than it is served feels it. Other connections go on. What a method throws closes that one connection with 1011.
/// </remarks>
public abstract class AsyncWebSocketHandler : MessageHandler
{
    /// <summary>A connection was opened; no message is read from it until the task completes.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="closed">Cancelled when the connection has ended.</param>
    /// <returns>A task that ends when messages may come.</returns>
    public virtual ValueTask OnOpenAsync(WebSocketConnection connection, CancellationToken closed) => default;

    /// <summary>A whole message was received.</summary>
    /// <param name="connection">The connection it came on.</param>
    /// <param name="message">The message. It is disposed after the task, unless <see cref="LeasedMessage.Detach"/> took it over.</param>
    /// <param name="closed">Cancelled when the connection has ended.</param>
    /// <returns>A task that ends when the next message may come.</returns>
    public abstract ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed);

    /// <summary>Everything buffered for the peer was sent, after more than the high watermark had been buffered. Runs on the owner; must not block.</summary>
    /// <param name="connection">The connection.</param>
    public virtual void OnDrain(WebSocketConnection connection)
    {
    }

    /// <summary>The connection has ended. Called once, last, after any other method's task has completed.</summary>
    /// <param name="connection">The connection; nothing can be sent on it any more.</param>
    /// <param name="info">How it ended.</param>
    /// <returns>A task that only a server that stops waits for.</returns>
    public virtual ValueTask OnCloseAsync(WebSocketConnection connection, CloseInfo info) => default;

    internal sealed override MessageDispatcher CreateDispatcher() => new AsyncDispatcher(this);
}
