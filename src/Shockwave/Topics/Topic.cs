using System.Runtime.InteropServices;

namespace Shockwave;

/// <summary>One topic on one owner, and who is subscribed to it there.</summary>
internal sealed class Topic(string name)
{
    // The connections themselves, not their subscriptions: a publication walks this list and touches nothing else on the way to a transport.
    private readonly List<WebSocketConnection> _subscribers = [];

    public string Name { get; } = name;

    public ReadOnlySpan<WebSocketConnection> Subscribers => CollectionsMarshal.AsSpan(_subscribers);

    public Subscription Add(WebSocketConnection connection)
    {
        _subscribers.Add(connection);
        return new Subscription(this, _subscribers.Count - 1);
    }

    // The last one moves into the gap: leaving costs the same however many stay.
    public void Remove(Subscription subscription)
    {
        int end = _subscribers.Count - 1;
        if (subscription.Index != end)
        {
            var last = _subscribers[end];
            _subscribers[subscription.Index] = last;
            last.Subscriptions.Find(this)!.Index = subscription.Index;
        }

        _subscribers.RemoveAt(end);
    }
}
