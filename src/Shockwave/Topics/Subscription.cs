namespace Shockwave;

/// <summary>That one connection hears of one topic.</summary>
internal sealed class Subscription(Topic topic, WebSocketConnection connection)
{
    public Topic Topic { get; } = topic;

    public WebSocketConnection Connection { get; } = connection;

    /// <summary>Gets or sets its place in the topic's list.</summary>
    public int Index { get; set; }
}
