namespace Shockwave;

/// <summary>What a server has counted since it started. Totals only grow; a rate is the difference of two.</summary>
/// <param name="ConnectionsOpen">Connections open now.</param>
/// <param name="ConnectionsTotal">Connections ever opened.</param>
/// <param name="MessagesReceived">Messages received whole.</param>
/// <param name="MessagesSent">Messages accepted for sending; one published message counts once for each subscriber.</param>
/// <param name="MessagesDropped">Messages refused by an overflow policy.</param>
/// <param name="BytesReceived">Bytes received after the upgrade.</param>
/// <param name="BytesSent">Bytes of frames written.</param>
/// <param name="Refusals">Peers that got no connection, by reason.</param>
public readonly record struct ServerStatistics(
    int ConnectionsOpen,
    long ConnectionsTotal,
    long MessagesReceived,
    long MessagesSent,
    long MessagesDropped,
    long BytesReceived,
    long BytesSent,
    RefusalStatistics Refusals);
