namespace Shockwave.AspNetCore.Tests;

/// <summary>The ways over which an opening handshake reaches the endpoint.</summary>
public enum ServerPath
{
    Plain,
    Tls,
    Http2,
}
