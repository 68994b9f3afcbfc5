namespace Shockwave;

/// <summary>That one connection hears of one topic. Its own list node among the connection's other subscriptions.</summary>
internal sealed class Subscription(Topic topic, int index)
{
    public Topic Topic { get; } = topic;

    /// <summary>Gets or sets the connection's place in the topic's list.</summary>
    public int Index { get; set; } = index;

    public Subscription? Next { get; set; }
}
