namespace Shockwave.Cli.Serve;

/// <summary>Tells the live page the server's figures once a second.</summary>
internal sealed class LiveHandler : WebSocketHandler
{
    /// <summary>The topic that <see cref="LiveStatistics"/> publishes to.</summary>
    public const string Topic = "live";

    public override void OnOpen(WebSocketConnection connection) => connection.Subscribe(Topic);

    public override void OnMessage(WebSocketConnection connection, in Message message) =>
        connection.Close(CloseCode.PolicyViolation, "this endpoint only sends");
}
