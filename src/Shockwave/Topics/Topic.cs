using System.Runtime.InteropServices;

namespace Shockwave;

/// <summary>One topic on one owner, and who is subscribed to it there.</summary>
internal sealed class Topic(string name)
{
    // Side by side: most of a publication needs the slots alone, and never looks at a connection.
    private readonly List<WebSocketConnection> _subscribers = [];
    private readonly List<int> _directSlots = [];

    public string Name { get; } = name;

    public ReadOnlySpan<WebSocketConnection> Subscribers => CollectionsMarshal.AsSpan(_subscribers);

    /// <summary>Gets where each subscriber's socket is found among the owner's <see cref="Engine.DirectSlots"/>.</summary>
    public ReadOnlySpan<int> DirectSlots => CollectionsMarshal.AsSpan(_directSlots);

    public Subscription Add(WebSocketConnection connection)
    {
        _subscribers.Add(connection);
        _directSlots.Add(connection.DirectSlot);
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
            _directSlots[subscription.Index] = _directSlots[end];
            last.Subscriptions.Find(this)!.Index = subscription.Index;
        }

        _subscribers.RemoveAt(end);
        _directSlots.RemoveAt(end);
    }
}
