using System.Buffers;
using System.Runtime.InteropServices;
using Shockwave.Engine;

namespace Shockwave;

/// <summary>The topics that connections of one owner are subscribed to. On the owner only.</summary>
/// <remarks>
/// What is published waits for what else is: messages of one topic that come together are put side by side once, and go to each subscriber
/// in one piece. Whoever subscribes, unsubscribes or has posted work behind a publication finds it delivered.
/// </remarks>
internal sealed class TopicTable(ConnectionOwner owner) : IOwnerWork
{
    // More in one piece would cost no less and be kept longer.
    private const int MaxBatchBytes = 64 * 1024;

    // A connection is fetched so many places ahead, what it points to half as many: far enough for memory, near enough for the cache.
    private const int Ahead = 8;

    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _batch = new();
    private List<Publication> _waiting = [];
    private List<Publication> _delivering = [];

    /// <summary>Subscribes a connection. False when it was subscribed before.</summary>
    public bool Add(WebSocketConnection connection, string name)
    {
        DeliverWaiting();
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
        DeliverWaiting();
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

    /// <summary>Takes over a publication, to be delivered behind everything that was posted before.</summary>
    public void Publish(Publication publication)
    {
        if (_waiting.Count == 0)
        {
            owner.Post(this);
        }

        _waiting.Add(publication);
    }

    /// <summary>Delivers what waits.</summary>
    public void DeliverWaiting()
    {
        if (_waiting.Count == 0)
        {
            return;
        }

        (_waiting, _delivering) = (_delivering, _waiting);
        var all = CollectionsMarshal.AsSpan(_delivering);
        for (int first = 0; first < all.Length;)
        {
            int count = CountBatch(all[first..]);
            Deliver(all.Slice(first, count), isAlone: count == all.Length);
            first += count;
        }

        foreach (var publication in all)
        {
            publication.Release();
        }

        _delivering.Clear();
    }

    void IOwnerWork.Run(object? state, long argument) => DeliverWaiting();

    private static int CountBatch(ReadOnlySpan<Publication> publications)
    {
        int count = 1;
        int bytes = publications[0].Frame.Length;
        while (count < publications.Length
            && publications[count].Topic == publications[0].Topic
            && (bytes += publications[count].Frame.Length) <= MaxBatchBytes)
        {
            count++;
        }

        return count;
    }

    // Writing runs no user code and ends no connection, so the list cannot change meanwhile.
    private void Deliver(ReadOnlySpan<Publication> publications, bool isAlone)
    {
        if (!_topics.TryGetValue(publications[0].Topic, out var topic))
        {
            return;
        }

        var frames = Join(publications);
        var subscribers = topic.Subscribers;
        for (int i = 0; i < subscribers.Length; i++)
        {
            // More of them than fit into the cache come out of it one behind the other, each a few misses: those are waited for beforehand.
            if (i + Ahead < subscribers.Length)
            {
                Prefetch.Object(subscribers[i + Ahead], WebSocketConnection.PrefetchBytes);
                subscribers[i + (Ahead / 2)].PrefetchTransport();
            }

            subscribers[i].WritePublications(publications, frames, isAlone);
        }
    }

    private ReadOnlySpan<byte> Join(ReadOnlySpan<Publication> publications)
    {
        if (publications.Length == 1)
        {
            return publications[0].Frame;
        }

        _batch.ResetWrittenCount();
        foreach (var publication in publications)
        {
            _batch.Write(publication.Frame);
        }

        return _batch.WrittenSpan;
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
