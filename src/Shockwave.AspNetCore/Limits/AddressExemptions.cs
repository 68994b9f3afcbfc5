using System.Net;
using System.Net.Sockets;

namespace Shockwave.AspNetCore;

/// <summary>The addresses that many clients may share: loopback, configured proxies, and those that the options list.</summary>
internal sealed class AddressExemptions(IEnumerable<IPNetwork> networks)
{
    private readonly IPNetwork[] _networks = [.. networks];

    public bool Contains(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return IPAddress.IsLoopback(address) || Array.Exists(_networks, network => network.Contains(address));
    }

    /// <summary>Reads an address, or a network in CIDR notation; <see langword="null"/> if it is neither.</summary>
    public static IPNetwork? Parse(string text)
    {
        if (text.Contains('/'))
        {
            return IPNetwork.TryParse(text, out var network) ? network : null;
        }

        // "10.1" is an address to the parser, 10.0.0.1; nobody who writes it means that.
        bool isAddress = IPAddress.TryParse(text, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text);
        return isAddress ? Single(address!) : null;
    }

    public static IPNetwork Single(IPAddress address) => new(address, address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32);
}
