using System.Net.Sockets;

namespace Shockwave.Engine;

/// <summary>The errors of binding and connecting, as .NET's own sockets report them.</summary>
internal static class SocketErrors
{
    public static SocketException ToException(int errno) => new((int)(errno switch
    {
        1 or 13 => SocketError.AccessDenied, // EPERM, EACCES
        Errno.EMFILE or Errno.ENFILE => SocketError.TooManyOpenSockets,
        97 => SocketError.AddressFamilyNotSupported, // EAFNOSUPPORT
        98 => SocketError.AddressAlreadyInUse, // EADDRINUSE
        99 => SocketError.AddressNotAvailable, // EADDRNOTAVAIL
        101 => SocketError.NetworkUnreachable, // ENETUNREACH
        Errno.ECONNRESET => SocketError.ConnectionReset,
        110 => SocketError.TimedOut, // ETIMEDOUT
        111 => SocketError.ConnectionRefused, // ECONNREFUSED
        113 => SocketError.HostUnreachable, // EHOSTUNREACH
        _ => SocketError.SocketError,
    }));
}
