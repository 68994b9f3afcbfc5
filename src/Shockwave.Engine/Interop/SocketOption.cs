namespace Shockwave.Engine;

/// <summary>The socket options that the engine sets, with their levels, as Linux numbers them on x64 and ARM64.</summary>
internal static class SocketOption
{
    public const int SOL_SOCKET = 1;
    public const int SO_REUSEADDR = 2;
    public const int SO_LINGER = 13;
    public const int SO_REUSEPORT = 15;

    public const int IPPROTO_TCP = 6;
    public const int TCP_NODELAY = 1;

    public const int IPPROTO_IPV6 = 41;
    public const int IPV6_V6ONLY = 26;

    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
}
