namespace Shockwave.Protocol;

/// <summary>What <see cref="OriginPolicy"/> makes of a request's Origin header (RFC 6455 §10.2).</summary>
public enum OriginVerdict
{
    /// <summary>The origin is not this server's and not listed. The default, so that a verdict that was never reached refuses.</summary>
    Refused,

    /// <summary>The origin is this server's own, or listed, or any is allowed.</summary>
    Allowed,

    /// <summary>
    /// Only http or https tells the origin from this server's own. Refused; most often a proxy ends TLS and its
    /// X-Forwarded-Proto is not trusted, so that this server takes itself for http.
    /// </summary>
    RefusedSchemeOnlyDiffers,

    /// <summary>The header stood on several lines, which no browser sends. Refused.</summary>
    RefusedSeveral,

    /// <summary>There is no Origin, so no browser of today sent the request. Allowed, unless a cookie authenticates it.</summary>
    NoOrigin,
}
