namespace Shockwave;

/// <summary>The topics that connections of one owner are subscribed to. On the owner only.</summary>
internal sealed class TopicTable
{
    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);

    /// <summary>Subscribes a connection. False when it was subscribed before.</summary>
    public bool Add(WebSocketConnection connection, string name)
    {
        if (!_topics.TryGetValue(name, out var topic))
        {
            _topics.Add(name, topic = new Topic(name));
        }
        else if (connection.Subscriptions.Find(topic) is not null)
        {
            return false;
        }

        connection.Subscriptions.Add(topic.Add(connection));
        return true;
    }

    /// <summary>Unsubscribes a connection. False when it was not subscribed.</summary>
    public bool Remove(WebSocketConnection connection, string name)
    {
        if (!_topics.TryGetValue(name, out var topic) || connection.Subscriptions.Remove(topic) is not { } subscription)
        {
            return false;
        }

        Remove(subscription);
        return true;
    }

    /// <summary>Unsubscribes a connection from everything.</summary>
    public void RemoveAll(WebSocketConnection connection)
    {
        for (var subscription = connection.Subscriptions.RemoveAll(); subscription is not null; subscription = subscription.Next)
        {
            Remove(subscription);
        }
    }

    /// <summary>Writes a message to every subscriber. Writing runs no user code and ends no connection, so the list cannot change meanwhile.</summary>
    public void Deliver(Publication publication)
    {
        if (_topics.TryGetValue(publication.Topic, out var topic))
        {
            foreach (var connection in topic.Subscribers)
            {
                connection.WritePublication(publication);
            }
        }
    }

    private void Remove(Subscription subscription)
    {
        subscription.Topic.Remove(subscription);
        if (subscription.Topic.Subscribers.IsEmpty)
        {
            _topics.Remove(subscription.Topic.Name);
        }
    }
}
