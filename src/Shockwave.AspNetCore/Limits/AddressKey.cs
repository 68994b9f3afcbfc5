using System.Buffers.Binary;
using System.Net;

namespace Shockwave.AspNetCore;

/// <summary>What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets.</summary>
/// <param name="Prefix">The address, or the upper half of it.</param>
/// <param name="IsIPv6">Whether it is IPv6.</param>
internal readonly record struct AddressKey(ulong Prefix, bool IsIPv6)
{
    public static AddressKey Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);

        // A socket that listens on both shows 192.0.2.1 as ::ffff:192.0.2.1: the last four bytes of either.
        return address.IsIPv4MappedToIPv6 || length == 4
            ? new(BinaryPrimitives.ReadUInt32BigEndian(bytes[(length - 4)..]), IsIPv6: false)
            : new(BinaryPrimitives.ReadUInt64BigEndian(bytes), IsIPv6: true);
    }
}
