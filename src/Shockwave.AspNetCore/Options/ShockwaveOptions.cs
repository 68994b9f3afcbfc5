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

    /// <summary>Gets or sets how long connections may take to close when the server stops.</summary>
    /// <value>1 s to 1 day; default 25 s. The host's own shutdown timeout is raised to 5 s more where it is lower.</value>
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
