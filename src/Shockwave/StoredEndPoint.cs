using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Shockwave;

/// <summary>An IP address and a port in 24 bytes instead of the 72 to 136 of the objects that stand for them.</summary>
internal readonly struct StoredEndPoint
{
    private const int IPv6Bytes = 16;

    private readonly ulong _high;
    private readonly ulong _low;
    private readonly ushort _port;
    private readonly byte _addressBytes;

    private StoredEndPoint(IPEndPoint endPoint)
    {
        Span<byte> address = stackalloc byte[IPv6Bytes];
        address.Clear();
        endPoint.Address.TryWriteBytes(address, out int length);
        _high = BinaryPrimitives.ReadUInt64BigEndian(address);
        _low = BinaryPrimitives.ReadUInt64BigEndian(address[sizeof(ulong)..]);
        _port = (ushort)endPoint.Port;
        _addressBytes = (byte)length;
    }

    /// <summary>Stores an end point. False for what is not an IP end point, or has a scope: that must be kept as the object it is.</summary>
    public static bool TryStore(EndPoint? endPoint, out StoredEndPoint stored)
    {
        bool fits = endPoint is IPEndPoint ip && (ip.AddressFamily == AddressFamily.InterNetwork || ip.Address.ScopeId == 0);
        stored = fits ? new StoredEndPoint((IPEndPoint)endPoint!) : default;
        return fits;
    }

    /// <summary>Makes the end point that was stored; null when there was none.</summary>
    public IPEndPoint? ToEndPoint()
    {
        if (_addressBytes == 0)
        {
            return null;
        }

        Span<byte> address = stackalloc byte[IPv6Bytes];
        BinaryPrimitives.WriteUInt64BigEndian(address, _high);
        BinaryPrimitives.WriteUInt64BigEndian(address[sizeof(ulong)..], _low);
        return new IPEndPoint(new IPAddress(address[.._addressBytes]), _port);
    }
}
