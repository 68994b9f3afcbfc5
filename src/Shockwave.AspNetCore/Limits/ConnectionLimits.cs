using System.Net;
using Microsoft.AspNetCore.Http;

namespace Shockwave.AspNetCore;

/// <summary>Counts the connections of one server, and those that are about to be, and says when there are enough. Any thread.</summary>
/// <remarks>
/// The count is our own because Kestrel's ends at the upgrade. A place is reserved before the 101 is written. It is given back by
/// disposing the reservation, or, once that was committed, by the end of its connection. One lock guards all counts: they change together
/// and only when connections come and go.
/// </remarks>
internal sealed class ConnectionLimits
{
    private readonly ShockwaveOptions _options;
    private readonly RateLimit? _rate;
    private readonly Lock _lock = new();
    private readonly Dictionary<AddressKey, int> _addresses = [];
    private AddressExemptions _exemptions = new([]);
    private long _most;
    private string _mostName;
    private long _count;

    public ConnectionLimits(ShockwaveOptions options, TimeProvider time)
    {
        _options = options;
        _rate = options.UpgradesPerSecond is { } perSecond ? new RateLimit(perSecond, time) : null;
        _most = options.MaxConnections ?? long.MaxValue;
        _mostName = $"{ShockwaveOptions.SectionName}:{nameof(ShockwaveOptions.MaxConnections)}";
        Exempt([]);
    }

    /// <summary>Gets how many connections and reservations there are.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Gets how many addresses have a connection that is counted.</summary>
    public int AddressCount
    {
        get
        {
            lock (_lock)
            {
                return _addresses.Count;
            }
        }
    }

    /// <summary>Adds a limit of the server below; the least of all holds. Before the first connection.</summary>
    public void Lower(long? most, string name)
    {
        if (most < _most)
        {
            _most = most.Value;
            _mostName = name;
        }
    }

    /// <summary>Says which addresses many clients share, beside those of the options. Before the first connection.</summary>
    public void Exempt(IEnumerable<IPNetwork> networks) =>
        _exemptions = new([.. _options.ExemptAddresses.Select(AddressExemptions.Parse).OfType<IPNetwork>(), .. networks]);

    /// <summary>Reserves a place for one connection.</summary>
    /// <param name="address">The peer's, after forwarded headers; <see langword="null"/> where there is none, such as on a Unix socket.</param>
    /// <param name="refusal">Why there is none; <see langword="null"/> if there is.</param>
    public ConnectionReservation? TryReserve(IPAddress? address, out Refusal? refusal)
    {
        AddressKey? key = KeyOf(address);
        lock (_lock)
        {
            int others = key is { } known ? _addresses.GetValueOrDefault(known) : 0;
            refusal = FindRefusal(others);
            if (refusal is not null)
            {
                return null;
            }

            _count++;
            if (key is { } counted)
            {
                _addresses[counted] = others + 1;
            }
        }

        return new ConnectionReservation(this, address);
    }

    /// <summary>Gives back one place that was reserved for this address.</summary>
    public void Release(IPAddress? address)
    {
        AddressKey? key = KeyOf(address);
        lock (_lock)
        {
            _count--;
            if (key is { } counted && _addresses.Remove(counted, out int held) && held > 1)
            {
                _addresses[counted] = held - 1;
            }
        }
    }

    // The rate comes last: only what would be let in uses it up.
    private Refusal? FindRefusal(int others)
    {
        if (_count >= _most)
        {
            return new(RefusalReason.Connections, StatusCodes.Status503ServiceUnavailable, $"The server has {_most} connections, as many as {_mostName} allows. Try again later.");
        }

        if (others >= _options.MaxConnectionsPerAddress)
        {
            // Not 503: a proxy takes that as a sign to turn away from the whole server, and only this client has too many.
            return new(
                RefusalReason.Address,
                StatusCodes.Status429TooManyRequests,
                $"This address has {others} connections, as many as {ShockwaveOptions.SectionName}:{nameof(ShockwaveOptions.MaxConnectionsPerAddress)} allows. Close one first.");
        }

        return _rate?.Take() is { Ticks: > 0 } wait
            ? new(
                RefusalReason.Rate,
                StatusCodes.Status503ServiceUnavailable,
                $"More connections come at once than {ShockwaveOptions.SectionName}:{nameof(ShockwaveOptions.UpgradesPerSecond)} allows. Try again in a moment.")
            {
                RetryAfter = wait,
            }
            : null;
    }

    private AddressKey? KeyOf(IPAddress? address) =>
        address is null || _options.MaxConnectionsPerAddress is null || _exemptions.Contains(address) ? null : AddressKey.Of(address);
}
