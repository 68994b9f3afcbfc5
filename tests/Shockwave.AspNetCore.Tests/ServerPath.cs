namespace Shockwave.AspNetCore.Tests;

/// <summary>The ways over which an opening handshake reaches the endpoint, and its connection is served.</summary>
public enum ServerPath
{
    /// <summary>The default: epoll loops.</summary>
    Engine,
    IoUring,

    /// <summary>Kestrel's own sockets, without TLS.</summary>
    Plain,
    Tls,
    Http2,
}
