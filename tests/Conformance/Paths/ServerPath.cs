namespace Shockwave.Conformance;

/// <summary>The ways that bytes take between a client and a connection of the server.</summary>
public enum ServerPath
{
    /// <summary>Plain TCP; an epoll loop adopts the connection.</summary>
    Epoll,

    /// <summary>Plain TCP; an io_uring loop adopts the connection.</summary>
    IoUring,

    /// <summary>Plain TCP through Kestrel's own transport; the request stays open.</summary>
    Portable,

    /// <summary>TLS in front of an epoll loop's transport; the request stays open.</summary>
    Tls,

    /// <summary>A stream of HTTP/2 (RFC 8441) over TLS in front of an io_uring loop's transport; the request stays open.</summary>
    Http2ExtendedConnect,
}
