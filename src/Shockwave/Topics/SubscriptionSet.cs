namespace Shockwave;

/// <summary>The subscriptions of one connection: a chain while they are few, a dictionary when there are more. On the owner only.</summary>
internal struct SubscriptionSet
{
    // A dictionary for one subscription would be five times as large as the subscription.
    private const int MaxChained = 4;

    // Null, the first of the chain, or the dictionary.
    private object? _subscriptions;

    /// <summary>Finds the subscription to a topic; null when there is none.</summary>
    public readonly Subscription? Find(Topic topic)
    {
        if (_subscriptions is Dictionary<Topic, Subscription> all)
        {
            return all.GetValueOrDefault(topic);
        }

        var subscription = (Subscription?)_subscriptions;
        while (subscription is not null && subscription.Topic != topic)
        {
            subscription = subscription.Next;
        }

        return subscription;
    }

    /// <summary>Adds a subscription to a topic that is not in the set.</summary>
    public void Add(Subscription subscription)
    {
        if (_subscriptions is Dictionary<Topic, Subscription> all)
        {
            all.Add(subscription.Topic, subscription);
            return;
        }

        subscription.Next = (Subscription?)_subscriptions;
        _subscriptions = Count(subscription) > MaxChained ? ToDictionary(subscription) : subscription;
    }

    /// <summary>Takes out the subscription to a topic; null when there is none.</summary>
    public Subscription? Remove(Topic topic)
    {
        var removed = Find(topic);
        if (removed is null)
        {
            return null;
        }

        if (_subscriptions is Dictionary<Topic, Subscription> all)
        {
            all.Remove(topic);
            _subscriptions = all.Count == 0 ? null : all;
        }
        else if (_subscriptions == removed)
        {
            _subscriptions = removed.Next;
        }
        else
        {
            var before = (Subscription)_subscriptions!;
            while (before.Next != removed)
            {
                before = before.Next!;
            }

            before.Next = removed.Next;
        }

        return removed;
    }

    /// <summary>Takes out all subscriptions.</summary>
    /// <returns>The first of a chain of them.</returns>
    public Subscription? RemoveAll()
    {
        var first = _subscriptions as Subscription;
        if (_subscriptions is Dictionary<Topic, Subscription> all)
        {
            foreach (var subscription in all.Values)
            {
                subscription.Next = first;
                first = subscription;
            }
        }

        _subscriptions = null;
        return first;
    }

    private static int Count(Subscription? chained)
    {
        int count = 0;
        for (; chained is not null; chained = chained.Next)
        {
            count++;
        }

        return count;
    }

    private static Dictionary<Topic, Subscription> ToDictionary(Subscription? chained)
    {
        var all = new Dictionary<Topic, Subscription>();
        for (; chained is not null; chained = chained.Next)
        {
            all.Add(chained.Topic, chained);
        }

        return all;
    }
}
