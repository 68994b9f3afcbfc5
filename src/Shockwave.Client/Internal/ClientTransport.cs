using System.Net.Sockets;
using Shockwave.Engine;

namespace Shockwave.Client;

/// <summary>The portable transport of a client: the stream that the opening handshake left.</summary>
internal sealed class ClientTransport(ConnectionOwner owner, HandshakeExchange exchange) : StreamTransport(owner, exchange.Stream)
{
    /// <inheritdoc />
    protected override void ShutdownSend()
    {
        try
        {
            exchange.PlainSocket?.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer was faster: the socket is gone, and the receive that is under way says so.
        }
    }

    /// <inheritdoc />
    protected override void ReleaseStream()
    {
        base.ReleaseStream();
        exchange.Dispose();
    }
}
