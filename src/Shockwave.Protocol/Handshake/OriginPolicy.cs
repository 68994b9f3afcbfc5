using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Shockwave.Protocol;

/// <summary>Decides from which web pages a browser may connect (RFC 6455 §10.2): this server's own, and those listed.</summary>
/// <remarks>
/// <para>Immutable; safe from any thread.</para>
/// <para>
/// An origin is compared exactly, as browsers serialise it (RFC 6454 §6.2): lower case, punycode, no default port. Whatever is
/// written otherwise was not written by a browser and is refused, also <c>HTTP://example.com</c> and <c>http://example.com:80</c>.
/// Only this server's side, the Host header, is normalised: it may be in upper case and carry the default port.
/// </para>
/// <para>
/// A page whose host name an attacker points at this server (DNS rebinding) is of the same origin here:
/// only a list of the hosts that are served stops it.
/// </para>
/// </remarks>
public sealed class OriginPolicy
{
    private readonly FrozenSet<string> _allowedOrigins;
    private readonly bool _allowAnyOrigin;

    /// <summary>Creates a policy.</summary>
    /// <param name="allowedOrigins">
    /// The origins allowed beside this server's own, each <c>scheme://host</c> or <c>scheme://host:port</c> as a browser sends it.
    /// </param>
    /// <param name="allowAnyOrigin">
    /// Whether every page on the web may connect. Dangerous wherever a cookie, a client certificate or the network itself lets the visitor in.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="allowedOrigins"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">An origin could never match what a browser sends; the message says how to write it.</exception>
    public OriginPolicy(IEnumerable<string> allowedOrigins, bool allowAnyOrigin = false)
    {
        ArgumentNullException.ThrowIfNull(allowedOrigins);
        string[] origins = [.. allowedOrigins];
        foreach (string origin in origins)
        {
            if (FindFault(origin) is string fault)
            {
                throw new ArgumentException(fault, nameof(allowedOrigins));
            }
        }

        _allowedOrigins = origins.ToFrozenSet(StringComparer.Ordinal);
        _allowAnyOrigin = allowAnyOrigin;
    }

    /// <summary>Gets the policy that allows this server's own pages only.</summary>
    public static OriginPolicy SameOrigin { get; } = new([]);

    /// <summary>Judges the Origin header of an opening handshake.</summary>
    /// <param name="origin">The Origin header.</param>
    /// <param name="isHttps">Whether the client reached this server, or the trusted proxy before it, by https.</param>
    /// <param name="host">The Host header: the host and, if not the scheme's default, the port that the client asked for.</param>
    /// <returns>The verdict. Never throws; takes linear time.</returns>
    public OriginVerdict Check(HeaderValues origin, bool isHttps, string? host)
    {
        if (origin.Count != 1)
        {
            return origin.Count == 0 ? OriginVerdict.NoOrigin : OriginVerdict.RefusedSeveral;
        }

        string value = origin[0];
        if (_allowAnyOrigin || _allowedOrigins.Contains(value))
        {
            return OriginVerdict.Allowed;
        }

        // Host goes without the default port from here on, as an Origin does. Under the other scheme that is another port:
        // https://example.com and http://example.com differ in the port as well, but the scheme is why.
        var ownHost = WithoutDefaultPort(host, isHttps);
        if (Is(value, isHttps, ownHost))
        {
            return OriginVerdict.Allowed;
        }

        return Is(value, !isHttps, WithoutDefaultPort(ownHost, !isHttps)) ? OriginVerdict.RefusedSchemeOnlyDiffers : OriginVerdict.Refused;
    }

    /// <summary>Turns a verdict into the answer to give.</summary>
    /// <param name="verdict">What <see cref="Check"/> said.</param>
    /// <param name="isCookieAuthenticated">Whether a cookie authenticated the request.</param>
    /// <returns><see langword="null"/> if the request may go on; otherwise an answer with status 403.</returns>
    public static HandshakeRefusal? GetRefusal(OriginVerdict verdict, bool isCookieAuthenticated) => verdict switch
    {
        OriginVerdict.Allowed => null,
        // Programs may leave the header out. A cookie, though, belongs to a browser, and a browser sends its Origin.
        OriginVerdict.NoOrigin => isCookieAuthenticated ? HandshakeRefusal.NoOrigin : null,
        OriginVerdict.RefusedSchemeOnlyDiffers => HandshakeRefusal.OriginScheme,
        OriginVerdict.RefusedSeveral => HandshakeRefusal.SeveralOrigins,
        _ => HandshakeRefusal.Origin,
    };

    private static ReadOnlySpan<char> WithoutDefaultPort(ReadOnlySpan<char> host, bool isHttps)
    {
        string port = isHttps ? ":443" : ":80";
        return host.EndsWith(port) ? host[..^port.Length] : host;
    }

    private static bool Is(ReadOnlySpan<char> origin, bool isHttps, ReadOnlySpan<char> host)
    {
        string scheme = isHttps ? "https://" : "http://";
        return !host.IsEmpty
            && origin.StartsWith(scheme)
            // The upper case that is passed over below is the Host header's: a browser's Origin has none.
            && !origin.ContainsAnyInRange('A', 'Z')
            && Ascii.EqualsIgnoreCase(origin[scheme.Length..], host);
    }

    private static string? FindFault(string? entry)
    {
        if (!Uri.TryCreate(entry, UriKind.Absolute, out var uri)
            || uri.IdnHost.Length == 0
            || !entry.Contains(Uri.SchemeDelimiter, StringComparison.Ordinal)
            || entry.AsSpan().ContainsAny("*?#@"))
        {
            return $"'{entry}' is not an origin: write scheme://host or scheme://host:port, without wildcard, user, path or query. Subdomains are listed one by one.";
        }

        // An origin is the page's: a browser never sends the scheme of the connection that the page opens.
        string scheme = uri.Scheme switch { "ws" => "http", "wss" => "https", var other => other };
        string host = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        string port = uri.IsDefaultPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{uri.Port}");
        string origin = $"{scheme}://{host}{port}";
        return entry == origin ? null : $"'{entry}' never equals what a browser sends: write '{origin}'.";
    }
}
