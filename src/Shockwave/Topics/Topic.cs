namespace Shockwave;

/// <summary>One topic on one owner, and who is subscribed to it there.</summary>
internal sealed class Topic(string name)
{
    private readonly List<Subscription> _subscriptions = [];

    public string Name { get; } = name;

    public IReadOnlyList<Subscription> Subscriptions => _subscriptions;

    public Subscription Add(WebSocketConnection connection)
    {
        var subscription = new Subscription(this, connection) { Index = _subscriptions.Count };
        _subscriptions.Add(subscription);
        return subscription;
    }

    // The last one moves into the gap: leaving costs the same however many stay.
    public void Remove(Subscription subscription)
    {
        var last = _subscriptions[^1];
        _subscriptions[subscription.Index] = last;
        last.Index = subscription.Index;
        _subscriptions.RemoveAt(_subscriptions.Count - 1);
    }
}
