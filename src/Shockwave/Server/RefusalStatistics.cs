namespace Shockwave;

/// <summary>How often a server has refused a peer since it started, by reason.</summary>
/// <param name="InvalidHandshake">Requests that were no valid opening handshake: 400, 405 or 426.</param>
/// <param name="Origin">Origins that may not connect: 403.</param>
/// <param name="Connections">The server had as many connections as it may: 503.</param>
/// <param name="TcpConnections">The server had as many TCP connections as it may; one more was closed without an answer.</param>
/// <param name="Address">The peer's address had as many connections as it may: 429.</param>
/// <param name="Rate">More upgrades came at a time than the server takes: 503.</param>
/// <param name="HandshakeTimeout">No request came in time; the TCP connection was closed without an answer.</param>
/// <param name="Stopping">The server was stopping: 503.</param>
public readonly record struct RefusalStatistics(
    long InvalidHandshake,
    long Origin,
    long Connections,
    long TcpConnections,
    long Address,
    long Rate,
    long HandshakeTimeout,
    long Stopping)
{
    /// <summary>Gets the sum of all reasons.</summary>
    public long Total => InvalidHandshake + Origin + Connections + TcpConnections + Address + Rate + HandshakeTimeout + Stopping;
}
