namespace Shockwave;

/// <summary>Counts the refusals of one server. Any thread.</summary>
internal sealed class RefusalCounters
{
    private readonly long[] _counts = new long[Enum.GetValues<RefusalReason>().Length];

    public void Count(RefusalReason reason) => Interlocked.Increment(ref _counts[(int)reason]);

    public RefusalStatistics Read() => new(
        Of(RefusalReason.InvalidHandshake),
        Of(RefusalReason.Origin),
        Of(RefusalReason.Connections),
        Of(RefusalReason.TcpConnections),
        Of(RefusalReason.Address),
        Of(RefusalReason.Rate),
        Of(RefusalReason.HandshakeTimeout),
        Of(RefusalReason.Stopping));

    private long Of(RefusalReason reason) => Volatile.Read(ref _counts[(int)reason]);
}
