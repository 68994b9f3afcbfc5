using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Shockwave.Engine;

namespace Shockwave.AspNetCore;

/// <summary>The portable transport over an upgraded request: the server below owns the connection and takes it back when the endpoint returns.</summary>
internal sealed class UpgradedTransport : StreamTransport
{
    private readonly HttpContext _context;
    private readonly Socket? _socket;
    private readonly EngineConnection? _connection;

    public UpgradedTransport(ConnectionOwner owner, Stream stream, HttpContext context)
        : base(owner, stream)
    {
        _context = context;

        // Behind TLS the end of the TCP stream would be an attack's sign (no close_notify), and HTTP/2 has other streams on its socket:
        // only a plain socket of one's own is half-closed.
        if (HttpProtocol.IsHttp11(context.Request.Protocol) && !context.Request.IsHttps && context.Features.Get<ITlsHandshakeFeature>() is null)
        {
            _socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
            _connection = context.Features.Get<EngineConnection>();
        }
    }

    /// <summary>Gets a tick: what is written lies in the server's pipe first, and nothing says when the socket has it.</summary>
    public override TimeSpan ShutdownDelay => TimerWheel.Tick;

    /// <inheritdoc />
    protected override void ShutdownSend()
    {
        try
        {
            _connection?.ShutdownSend();
            _socket?.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer was faster: the socket is gone, and the receive that is under way says so.
        }
    }

    /// <inheritdoc />
    protected override void AbortStream() => _context.Abort();

    /// <inheritdoc />
    protected override void ReleaseStream()
    {
        // The endpoint returns, and the server flushes and closes.
    }
}
