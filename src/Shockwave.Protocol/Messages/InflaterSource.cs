namespace Shockwave.Protocol;

/// <summary>Where a connection's inflaters come from: lent for one message from the pool that its owner shares, or one of its own.</summary>
/// <param name="Shared">The owner's pool, where the peer uses no context takeover.</param>
/// <param name="Dedicated">The connection's own inflater, where the peer does; whoever made it disposes it.</param>
internal readonly record struct InflaterSource(SharedDeflate? Shared, MessageInflater? Dedicated)
{
    /// <summary>Gets whether compressed messages may arrive at all.</summary>
    public bool IsEnabled => Shared is not null || Dedicated is not null;

    public MessageInflater Rent() => Dedicated ?? Shared!.RentInflater();

    public void Return(MessageInflater inflater)
    {
        if (Dedicated is null)
        {
            Shared!.Return(inflater);
        }
    }
}
