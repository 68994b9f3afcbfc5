using System.Net;
using System.Net.Sockets;

namespace Shockwave.Engine;

/// <summary>Addresses between the kernel's form and .NET's.</summary>
internal static class SocketAddresses
{
    private const int MaxBytes = 128;

    /// <summary>Gets an address of a socket; <see langword="null"/> when the socket is closed, or not of IPv4 or IPv6.</summary>
    public static IPEndPoint? Get(SystemCalls system, int socket, bool isPeer)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        if (socket < 0 || system.GetAddress(socket, isPeer, bytes, out int length) < 0)
        {
            return null;
        }

        var family = BitConverter.ToUInt16(bytes) switch
        {
            SocketOption.AF_INET => AddressFamily.InterNetwork,
            SocketOption.AF_INET6 => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unknown,
        };
        if (family == AddressFamily.Unknown)
        {
            return null;
        }

        var address = new SocketAddress(family, length);
        bytes[..length].CopyTo(address.Buffer.Span);
        var any = new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var endPoint = (IPEndPoint)any.Create(address);

        // A socket for both families sees IPv4 peers as ::ffff:a.b.c.d.
        return endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
    }

    /// <summary>Gets the kernel's form.</summary>
    public static ReadOnlySpan<byte> Write(IPEndPoint endPoint)
    {
        var address = endPoint.Serialize();
        return address.Buffer.Span[..address.Size];
    }

    public static int FamilyOf(IPEndPoint endPoint) =>
        endPoint.AddressFamily == AddressFamily.InterNetwork ? SocketOption.AF_INET : SocketOption.AF_INET6;
}
