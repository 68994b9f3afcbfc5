namespace Shockwave;

/// <summary>Stores messages for pull reads, and runs the function that reads them, if there is one.</summary>
internal sealed class PullDispatcher(Func<WebSocketConnection, CancellationToken, Task>? serve) : MessageDispatcher
{
    public override void Open(WebSocketConnection connection)
    {
        connection.Reads ??= new MessageReads(connection);
        if (serve is not null)
        {
            connection.Reads.Served = Task.Run(() => ServeAsync(connection));
        }
    }

    public override void Message(WebSocketConnection connection, in Message message) => connection.Reads!.Add(message.Store());

    public override void Drain(WebSocketConnection connection)
    {
    }

    public override ValueTask Close(WebSocketConnection connection, in CloseInfo info) => new(connection.Reads?.Served ?? Task.CompletedTask);

    private async Task ServeAsync(WebSocketConnection connection)
    {
        try
        {
            await serve!(connection, connection.Closed).ConfigureAwait(false);
            connection.Close();
        }
        catch (Exception e) when (connection.CloseInfo is not null && e is ConnectionClosedException or OperationCanceledException)
        {
            // The connection ended under the function, and it let that pass: nothing to report.
        }
        catch (Exception e)
        {
            connection.ReportHandlerFailure(e);
            connection.Close(CloseCode.InternalError);
        }
    }
}
