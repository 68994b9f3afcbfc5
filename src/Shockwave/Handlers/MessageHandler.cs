namespace Shockwave;

/// <summary>
/// The common base of <see cref="WebSocketHandler"/> and <see cref="AsyncWebSocketHandler"/>: derive from one of those.
/// One instance serves all connections of an endpoint, on many threads at once; what belongs to one connection goes into
/// <see cref="WebSocketConnection.State"/>.
/// </summary>
public abstract class MessageHandler
{
    private protected MessageHandler()
    {
    }

    internal abstract MessageDispatcher CreateDispatcher();
}
