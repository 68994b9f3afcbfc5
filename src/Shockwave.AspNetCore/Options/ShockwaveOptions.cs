using Shockwave.AspNetCore;

namespace Shockwave;

/// <summary>The options of the server, bound from the configuration section <c>Shockwave</c>.</summary>
/// <remarks>Checked once at start; later changes have no effect. An unknown key or a value out of range stops the start.</remarks>
public sealed class ShockwaveOptions : ConnectionOptions
{
    /// <summary>The configuration section that the options are bound from.</summary>
    public const string SectionName = "Shockwave";

    /// <summary>Gets the origins from which browsers may connect beside the server's own.</summary>
    /// <value>Each <c>scheme://host[:port]</c> exactly as a browser sends it; none by default.</value>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>Gets or sets whether every web page may connect. Dangerous wherever a cookie or the network itself lets the visitor in.</summary>
    /// <value>Default <see langword="false"/>.</value>
    public bool AllowAnyOrigin { get; set; }

    /// <summary>Gets the subprotocols that the server speaks, the preferred first. The first that the client offers as well is chosen.</summary>
    /// <value>Tokens (RFC 9110 §5.6.2); none by default.</value>
    public IList<string> Subprotocols { get; } = [];

    /// <summary>Gets or sets the most connections that may be open at a time.</summary>
    /// <value>
    /// 1 to 2147483647; <see langword="null"/> sets no limit, and the process runs out of descriptors or memory instead. The default is what
    /// four fifths of its descriptors, or its memory at 64 KiB for a connection, allow.
    /// </value>
    /// <remarks>
    /// An opening handshake beyond it gets 503. Kestrel's own limits on connections hold as well, the least of them all. TCP connections, those
    /// that only speak HTTP included, may be an eighth more, 16 at least and 1024 at most: one beyond that is closed as soon as it is accepted.
    /// </remarks>
    public int? MaxConnections { get; set; } = ConnectionCapacity.Default;

    /// <summary>Gets or sets the most connections that one address may have: an IPv4 address, or an IPv6 network of 64 bits.</summary>
    /// <value>1 to 2147483647; default 50; <see langword="null"/> sets no limit, and one client can take every place.</value>
    /// <remarks>
    /// An opening handshake beyond it gets 429. What counts is the address after forwarded headers; loopback, <see cref="ExemptAddresses"/>,
    /// and the proxies in the application's <c>ForwardedHeadersOptions</c> are not counted.
    /// </remarks>
    public int? MaxConnectionsPerAddress { get; set; } = 50;

    /// <summary>Gets the addresses that many clients share, such as a load balancer's or a company's: <see cref="MaxConnectionsPerAddress"/> does not hold for them.</summary>
    /// <value>IP addresses, and networks in CIDR notation such as <c>10.0.0.0/8</c>; none by default.</value>
    public IList<string> ExemptAddresses { get; } = [];

    /// <summary>Gets or sets how many TCP connections are accepted per second, over all endpoints. After a quiet time it may be twice as many at once.</summary>
    /// <value>1 to 1000000; default 2000; <see langword="null"/> sets no limit, and the TLS handshakes of clients that all come at once take the processor.</value>
    /// <remarks>Those beyond it are not refused: they wait in the kernel's queue.</remarks>
    public int? AcceptsPerSecond { get; set; } = 2000;

    /// <summary>Gets or sets how many WebSockets are opened per second. After a quiet time it may be twice as many at once.</summary>
    /// <value>1 to 1000000; default 1000; <see langword="null"/> sets no limit, and clients that all come back at once take the processor from those that are there.</value>
    /// <remarks>An opening handshake beyond it gets 503 with <c>Retry-After</c>.</remarks>
    public int? UpgradesPerSecond { get; set; } = 1000;

    /// <summary>Gets or sets how long a connection may take from its TCP accept until the head of its first request is complete, TLS included, and without the wait that <see cref="AcceptsPerSecond"/> asks for.</summary>
    /// <value>1 s to 1 day; default 10 s.</value>
    /// <remarks>
    /// Afterwards it is closed. Kestrel's <c>RequestHeadersTimeout</c> is lowered to it where it is longer. What the application does with the
    /// request, such as authentication, may take any time.
    /// </remarks>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets how long connections may take to close when the server stops.</summary>
    /// <value>1 s to 1 day; default 25 s. The host's own shutdown timeout is raised to 5 s more where it is lower.</value>
    /// <remarks>
    /// A peer that is slow gets everything that is buffered for it; <c>CloseTimeout</c> begins when that is sent. One that takes nothing is
    /// given up after <c>WriteTimeout</c>.
    /// </remarks>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>Gets or sets what moves the bytes of connections that come over plain TCP. Everything else takes the portable path.</summary>
    /// <value>Default <see cref="EngineKind.Auto"/>.</value>
    /// <remarks>Only where the transport was added: by <c>AddShockwave</c> on an application's builder, not on its services.</remarks>
    public EngineKind Engine { get; set; }

    /// <summary>Gets or sets how many event loops run, each on a thread of its own.</summary>
    /// <value>1 to 1024; <see langword="null"/>, the default, means one for each processor.</value>
    public int? Loops { get; set; }

    /// <summary>Gets or sets for how long an event loop looks for something to do before it lets its thread sleep.</summary>
    /// <value>0 to 10 ms; default 0, which sleeps at once.</value>
    /// <remarks>Shortens the round trips of a few busy connections and costs up to a whole processor for each loop: only where there is one to spare.</remarks>
    public TimeSpan BusyPoll { get; set; }
}
