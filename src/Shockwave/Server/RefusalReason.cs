namespace Shockwave;

/// <summary>Why a peer got no connection. Each is counted and logged by itself.</summary>
internal enum RefusalReason
{
    InvalidHandshake,
    Origin,
    Connections,
    TcpConnections,
    Address,
    Rate,
    HandshakeTimeout,
    Stopping,
}
