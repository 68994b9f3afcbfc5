namespace Shockwave;

/// <summary>Calls an asynchronous handler and pauses its connection until the task completes.</summary>
internal sealed class AsyncDispatcher(AsyncWebSocketHandler handler) : MessageDispatcher
{
    public override void Open(WebSocketConnection connection) =>
        Follow(connection, handler.OnOpenAsync(connection, connection.Closed), lease: null);

    public override void Message(WebSocketConnection connection, in Message message)
    {
        var lease = message.Lease();
        ValueTask task;
        try
        {
            task = handler.OnMessageAsync(connection, lease, connection.Closed);
        }
        catch
        {
            lease.Dispose();
            throw;
        }

        Follow(connection, task, lease);
    }

    public override void Drain(WebSocketConnection connection) => handler.OnDrain(connection);

    public override ValueTask Close(WebSocketConnection connection, in CloseInfo info) => handler.OnCloseAsync(connection, info);

    private static void Follow(WebSocketConnection connection, ValueTask task, LeasedMessage? lease)
    {
        if (task.IsCompletedSuccessfully)
        {
            // No hop and no pause for a handler that had nothing to wait for.
            task.GetAwaiter().GetResult();
            lease?.Dispose();
        }
        else
        {
            connection.PauseForHandler();
            _ = FollowAsync(connection, task, lease);
        }
    }

    private static async Task FollowAsync(WebSocketConnection connection, ValueTask task, LeasedMessage? lease)
    {
        Exception? error = null;
        try
        {
            await task.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The one catch-all between a handler and its connection: that connection fails, the others go on.
            error = e;
        }

        lease?.Dispose();
        connection.PostHandlerCompleted(error);
    }
}
