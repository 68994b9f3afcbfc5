namespace Shockwave.Cli.Serve;

/// <summary>Publishes each message to everyone on the topic that the URL names, the sender included.</summary>
internal sealed class TopicHandler : WebSocketHandler
{
    public override void OnOpen(WebSocketConnection connection) => connection.Subscribe(TopicOf(connection));

    public override void OnMessage(WebSocketConnection connection, in Message message)
    {
        if (connection.Publish(TopicOf(connection), message.Payload, message.Type) == PublishResult.Refused)
        {
            connection.Close(CloseCode.TryAgainLater, "topic overloaded");
        }
    }

    // A prefix keeps them apart from the server's own topics.
    private static string TopicOf(WebSocketConnection connection) => $"topic/{connection.RouteValues["name"]}";
}
