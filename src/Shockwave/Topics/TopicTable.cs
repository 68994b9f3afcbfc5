using System.Buffers;
using System.Runtime.InteropServices;
using Shockwave.Engine;

namespace Shockwave;

/// <summary>The topics that connections of one owner are subscribed to. On the owner only.</summary>
/// <remarks>
/// What is published waits for what else is: messages of one topic that come together are put side by side once, and go to each subscriber
/// in one piece. Whoever subscribes, unsubscribes or has posted work behind a publication finds it delivered.
/// </remarks>
internal sealed class TopicTable(Shard shard) : IOwnerWork
{
    // More in one piece would cost no less and be kept longer.
    private const int MaxBatchBytes = 64 * 1024;

    // More subscribers are not made to wait for what else is published in the turn: each would hold a buffer for as long.
    private const int MaxWaitingSubscribers = 1024;

    // So many subscribers ahead memory is asked for what one takes: far enough for it to come, near enough for it to be still there.
    private const int Ahead = 8;

    private readonly ConnectionOwner _owner = shard.Owner;
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
            _owner.Post(this);
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
        var slots = topic.DirectSlots;
        isAlone |= slots.Length > MaxWaitingSubscribers;
        int sentCount = 0;
        bool wasWritten = false;
        for (int i = 0; i < slots.Length; i++)
        {
            if (i + Ahead < slots.Length)
            {
                _owner.DirectSlots.Prefetch(slots[i + Ahead]);
                if (wasWritten)
                {
                    PrefetchConnections(subscribers.Slice(i, Ahead + 1));
                }
            }

            int sentBytes = isAlone ? _owner.SendDirectly(slots[i], frames) : 0;
            wasWritten = sentBytes < frames.Length;
            if (wasWritten)
            {
                subscribers[i].WritePublications(publications, frames, sentBytes, isAlone);
            }
            else
            {
                sentCount++;
            }
        }

        shard.BytesSent += (long)sentCount * frames.Length;
        shard.MessagesSent += (long)sentCount * publications.Length;
    }

    // More of them than fit into the cache would be waited for one by one. Where one is written to, so is probably the next.
    private static void PrefetchConnections(ReadOnlySpan<WebSocketConnection> next)
    {
        Prefetcher.Load(next[Ahead], WebSocketConnection.WrittenBytes);
        next[Ahead / 2].PrefetchTransport();
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
