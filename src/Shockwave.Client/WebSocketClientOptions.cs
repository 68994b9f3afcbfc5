using System.Net;
using System.Net.Security;

namespace Shockwave;

/// <summary>The options of a client's connection.</summary>
/// <remarks>Read when the client connects; later changes have no effect. Not thread-safe.</remarks>
public sealed class WebSocketClientOptions : ConnectionOptions
{
    /// <summary>Gets the subprotocols to offer, the preferred first.</summary>
    /// <value>Tokens (RFC 9110 §5.6.2), each once; none by default.</value>
    public IList<string> Subprotocols { get; } = [];

    /// <summary>Gets the headers to send with the opening handshake beside its own.</summary>
    /// <value>None by default.</value>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets or sets how long the opening handshake may take, DNS, TCP and TLS included.</summary>
    /// <value>100 ms to 1 day; default 10 s.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets how TLS is checked for <c>wss</c>.</summary>
    /// <value><see langword="null"/>, the default, trusts what the system trusts.</value>
    public SslClientAuthenticationOptions? Tls { get; set; }

    /// <summary>Gets or sets the proxy.</summary>
    /// <value><see langword="null"/>, the default, uses the system's.</value>
    public IWebProxy? Proxy { get; set; }

    /// <summary>Gets or sets the cookies to send, and where those of the answer go.</summary>
    /// <value><see langword="null"/>, the default, for none.</value>
    public CookieContainer? Cookies { get; set; }

    /// <summary>Gets or sets what moves the bytes of connections with <c>ws</c> that need no proxy. All others take the portable path.</summary>
    /// <value>Default <see cref="EngineKind.Auto"/>.</value>
    /// <remarks>
    /// Event loops are shared by all connections of the process with the same <see cref="TimeProvider"/>, and start when the first of them
    /// connects. A handler runs on its connection's loop: while it does not return, the other connections of that loop wait.
    /// </remarks>
    public EngineKind Engine { get; set; }

    /// <summary>Gets or sets the clock of every timeout.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
