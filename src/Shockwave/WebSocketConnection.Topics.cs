namespace Shockwave;

public sealed partial class WebSocketConnection
{
    private SubscriptionSet _subscriptions;

    internal ref SubscriptionSet Subscriptions => ref _subscriptions;

    /// <summary>Subscribes to a topic: from now on every message published to it is sent to this peer.</summary>
    /// <param name="topic">The topic's exact name, 1 to 255 bytes in UTF-8.</param>
    /// <exception cref="ArgumentException"><paramref name="topic"/> is empty or too long.</exception>
    /// <exception cref="NotSupportedException">This is a client's connection: topics are a server's.</exception>
    public void Subscribe(string topic) => PostTopic(topic, Posted.Subscribe);

    /// <summary>Unsubscribes from a topic. Harmless when not subscribed.</summary>
    /// <param name="topic">The topic's exact name, 1 to 255 bytes in UTF-8.</param>
    /// <exception cref="ArgumentException"><paramref name="topic"/> is empty or too long.</exception>
    /// <exception cref="NotSupportedException">This is a client's connection: topics are a server's.</exception>
    public void Unsubscribe(string topic) => PostTopic(topic, Posted.Unsubscribe);

    /// <summary>Sends a message to every subscriber of a topic on this server, this connection included if it is one.</summary>
    /// <param name="topic">The topic's exact name, 1 to 255 bytes in UTF-8.</param>
    /// <param name="payload">The whole message; copied once. Text must be valid UTF-8.</param>
    /// <param name="type"><see cref="MessageType.Text"/> or <see cref="MessageType.Binary"/>.</param>
    /// <returns>Whether it will be delivered.</returns>
    /// <exception cref="ArgumentException"><paramref name="topic"/> is empty or too long, or <paramref name="type"/> is another value.</exception>
    /// <exception cref="NotSupportedException">This is a client's connection: topics are a server's.</exception>
    public PublishResult Publish(string topic, ReadOnlySpan<byte> payload, MessageType type)
    {
        CheckType(type);
        return Hub.Publish(topic, payload, type);
    }

    private TopicHub Hub => _shard.Hub ?? throw new NotSupportedException("Topics belong to a server; a client's connection has none.");

    private void PostTopic(string topic, Posted posted)
    {
        _ = Hub;
        TopicHub.CheckName(topic);
        if (Owner.IsCurrent)
        {
            ChangeSubscription(topic, posted);
        }
        else
        {
            Owner.Post(this, topic, (long)posted);
        }
    }

    private void ChangeSubscription(string topic, Posted posted)
    {
        if (posted == Posted.Unsubscribe)
        {
            _shard.Topics.Remove(this, topic);
        }
        else if (!_isEnded)
        {
            _shard.Topics.Add(this, topic);
        }
    }
}
