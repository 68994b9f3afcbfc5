namespace Shockwave;

/// <summary>The topics that connections of one owner are subscribed to. On the owner only.</summary>
internal sealed class TopicTable
{
    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);

    /// <summary>Subscribes a connection. False when it was subscribed before.</summary>
    public bool Add(WebSocketConnection connection, string name)
    {
        if (connection.Subscriptions.ContainsKey(name))
        {
            return false;
        }

        if (!_topics.TryGetValue(name, out var topic))
        {
            _topics.Add(name, topic = new Topic(name));
        }

        connection.Subscriptions.Add(name, topic.Add(connection));
        return true;
    }

    /// <summary>Unsubscribes a connection. False when it was not subscribed.</summary>
    public bool Remove(WebSocketConnection connection, string name)
    {
        if (!connection.Subscriptions.Remove(name, out var subscription))
        {
            return false;
        }

        Remove(subscription);
        return true;
    }

    /// <summary>Unsubscribes a connection from everything.</summary>
    public void RemoveAll(WebSocketConnection connection)
    {
        foreach (var subscription in connection.Subscriptions.Values)
        {
            Remove(subscription);
        }

        connection.Subscriptions.Clear();
    }

    /// <summary>Writes a message to every subscriber. Writing runs no user code and ends no connection, so the list cannot change meanwhile.</summary>
    public void Deliver(Publication publication)
    {
        if (_topics.TryGetValue(publication.Topic, out var topic))
        {
            foreach (var subscription in topic.Subscriptions)
            {
                subscription.Connection.WritePublication(publication);
            }
        }
    }

    private void Remove(Subscription subscription)
    {
        subscription.Topic.Remove(subscription);
        if (subscription.Topic.Subscriptions.Count == 0)
        {
            _topics.Remove(subscription.Topic.Name);
        }
    }
}
