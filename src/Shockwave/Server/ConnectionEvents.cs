namespace Shockwave;

/// <summary>Where connections report what a log should show. Called on owners; must not throw or block.</summary>
internal abstract class ConnectionEvents
{
    public static readonly ConnectionEvents None = new Silent();

    /// <summary>User code threw; its connection is being closed with 1011.</summary>
    public abstract void HandlerFailed(WebSocketConnection connection, Exception error);

    /// <summary>A connection has ended.</summary>
    public abstract void Ended(WebSocketConnection connection, in CloseInfo info);

    private sealed class Silent : ConnectionEvents
    {
        public override void HandlerFailed(WebSocketConnection connection, Exception error)
        {
        }

        public override void Ended(WebSocketConnection connection, in CloseInfo info)
        {
        }
    }
}
