namespace Shockwave;

/// <summary>What a connection allows and waits for, on a server and on a client alike.</summary>
/// <remarks>Read once when the server starts or the client connects; later changes have no effect. Not thread-safe.</remarks>
public abstract class ConnectionOptions
{
    internal ConnectionOptions()
    {
    }

    /// <summary>Gets or sets the largest accepted message, in bytes, after reassembly and inflation.</summary>
    /// <value>1 to <see cref="Array.MaxLength"/>; default 64 KiB.</value>
    /// <remarks>A larger message fails the connection with close code 1009 (RFC 6455 §7.4.1).</remarks>
    public int MaxMessageBytes { get; set; } = 64 * 1024;

    /// <summary>Gets or sets the largest accepted payload of one frame, in bytes.</summary>
    /// <value>1 to <see cref="Array.MaxLength"/>; <see langword="null"/>, the default, means <see cref="MaxMessageBytes"/>.</value>
    /// <remarks>A larger frame fails the connection with close code 1009.</remarks>
    public int? MaxFrameBytes { get; set; }

    /// <summary>Gets or sets the most frames that one message may consist of; empty ones count.</summary>
    /// <value>1 to 2147483647; default 1024.</value>
    /// <remarks>One more fails the connection with close code 1008: endless tiny fragments cost more than they carry.</remarks>
    public int MaxFragmentsPerMessage { get; set; } = 1024;

    /// <summary>Gets or sets how often a ping is sent.</summary>
    /// <value>1 s to 1 day; default 25 s; <see langword="null"/> sends none, and a peer that vanished is found by <see cref="IdleTimeout"/> only.</value>
    public TimeSpan? PingInterval { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>Gets or sets how long a pong may take.</summary>
    /// <value>1 s to 1 day; default 10 s.</value>
    /// <remarks>Without one the connection is aborted and reports 1006 with a <see cref="TimeoutException"/>.</remarks>
    public TimeSpan PongTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets how long a connection may receive nothing at all.</summary>
    /// <value>1 s to 1 day; default 120 s; <see langword="null"/> waits for ever, and dead connections pile up unless pings find them.</value>
    /// <remarks>Afterwards it is closed with 1001.</remarks>
    public TimeSpan? IdleTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>Gets or sets how long one message may take to arrive, from its first byte to its last.</summary>
    /// <value>1 s to 1 day; default 30 s.</value>
    /// <remarks>A slower one closes the connection with 1008: a half-sent message occupies memory.</remarks>
    public TimeSpan MessageTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how long the closing handshake may take.</summary>
    /// <value>100 ms to 1 day; default 5 s.</value>
    /// <remarks>Afterwards the connection is aborted.</remarks>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets how long the peer may take nothing of what is buffered for it.</summary>
    /// <value>1 s to 1 day; default 10 s.</value>
    /// <remarks>Afterwards the connection is aborted.</remarks>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets how long an asynchronous handler may take over one message, or over the opening.</summary>
    /// <value>1 s to 1 day; default 30 s; <see langword="null"/> waits for ever, and a handler that hangs keeps its connection and one message.</value>
    /// <remarks>
    /// Afterwards the connection is closed with 1011 and <see cref="WebSocketConnection.Closed"/> is cancelled; the handler itself goes on
    /// until it notices.
    /// </remarks>
    public TimeSpan? HandlerTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets from how many buffered bytes on a write reports <see cref="SendResult.Backpressure"/>.</summary>
    /// <value>1 to <see cref="MaxBufferedBytes"/>; default 256 KiB.</value>
    public int HighWatermarkBytes { get; set; } = 256 * 1024;

    /// <summary>Gets or sets the most bytes that are buffered for one peer.</summary>
    /// <value>1 to <see cref="Array.MaxLength"/>; default 1 MiB. A message that is larger alone is accepted when nothing else is buffered.</value>
    /// <remarks>What would exceed it is dealt with by <see cref="Overflow"/>.</remarks>
    public int MaxBufferedBytes { get; set; } = 1024 * 1024;

    /// <summary>Gets or sets what happens to a message that would exceed <see cref="MaxBufferedBytes"/>.</summary>
    /// <value>Default <see cref="OverflowPolicy.CloseConnection"/>.</value>
    public OverflowPolicy Overflow { get; set; } = OverflowPolicy.CloseConnection;

    /// <summary>Gets or sets permessage-deflate (RFC 7692).</summary>
    /// <value>Off by default.</value>
    public CompressionOptions Compression { get; set; } = new();
}
