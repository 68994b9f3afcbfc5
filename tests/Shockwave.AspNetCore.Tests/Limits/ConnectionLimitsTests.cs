using System.Net;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed class ConnectionLimitsTests
{
    private static readonly IPAddress _client = IPAddress.Parse("192.0.2.1");

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void MaxConnections_HoldsAtOneLessExactlyAndOneMore()
    {
        var limits = Create(options => options.MaxConnections = 2);
        using var first = Reserve(limits, null);
        Assert.Equal(1, limits.Count);
        var second = Reserve(limits, null);
        var refusal = Refuse(limits, null);
        Assert.Equal((RefusalReason.Connections, 503), (refusal.Reason, refusal.StatusCode));
        Assert.Contains("Shockwave:MaxConnections", refusal.Text, StringComparison.Ordinal);
        Assert.Equal(2, limits.Count);

        second.Dispose();
        using var third = Reserve(limits, null);
        Refuse(limits, null);
    }

    [Theory]
    [InlineData(5, 3, 4, "KestrelServerLimits.First", 3)]
    [InlineData(5, 4, 3, "KestrelServerLimits.Second", 3)]
    [InlineData(2, 3, 4, "Shockwave:MaxConnections", 2)]
    [InlineData(null, null, 1, "KestrelServerLimits.Second", 1)]
    public void LeastLimit_HoldsAndIsNamed(int? ours, int? first, int? second, string name, int most)
    {
        var limits = Create(options => options.MaxConnections = ours);
        limits.Lower(first, "KestrelServerLimits.First");
        limits.Lower(second, "KestrelServerLimits.Second");
        for (int i = 0; i < most; i++)
        {
            Reserve(limits, null);
        }

        Assert.Contains($" {most} connections, as many as {name} allows", Refuse(limits, null).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void MaxConnectionsPerAddress_HoldsForEachAddressByItself()
    {
        var limits = Create(options => options.MaxConnectionsPerAddress = 2);
        Reserve(limits, _client);
        var second = Reserve(limits, _client);
        var refusal = Refuse(limits, IPAddress.Parse("::ffff:192.0.2.1"));
        Assert.Equal((RefusalReason.Address, 429), (refusal.Reason, refusal.StatusCode));
        Assert.Contains("Shockwave:MaxConnectionsPerAddress", refusal.Text, StringComparison.Ordinal);
        Reserve(limits, IPAddress.Parse("192.0.2.2"));

        second.Dispose();
        Reserve(limits, _client);
        Refuse(limits, _client);
    }

    [Fact]
    public void ExemptAddress_IsCountedForTheServerOnly()
    {
        var limits = Create(options =>
        {
            options.MaxConnectionsPerAddress = 1;
            options.MaxConnections = 6;
            options.ExemptAddresses.Add("192.0.2.0/24");
        });
        limits.Exempt([AddressExemptions.Single(IPAddress.Parse("198.51.100.1"))]);
        foreach (string address in (string[])["192.0.2.9", "198.51.100.1", "127.0.0.1"])
        {
            Reserve(limits, IPAddress.Parse(address));
            Reserve(limits, IPAddress.Parse(address));
        }

        Assert.Equal(0, limits.AddressCount);
        Assert.Equal(RefusalReason.Connections, Refuse(limits, IPAddress.Loopback).Reason);
    }

    [Fact]
    public void UpgradesPerSecond_IsRefusedWithTheTimeToComeBackAndUsedUpByNoOtherRefusal()
    {
        var limits = Create(options =>
        {
            options.UpgradesPerSecond = 1;
            options.MaxConnectionsPerAddress = 1;
        });
        using (Reserve(limits, _client))
        {
            for (int i = 0; i < 10; i++)
            {
                Assert.Equal(RefusalReason.Address, Refuse(limits, _client).Reason);
            }
        }

        Reserve(limits, _client).Dispose();
        var refusal = Refuse(limits, _client);
        Assert.Equal((RefusalReason.Rate, 503, TimeSpan.FromSeconds(1)), (refusal.Reason, refusal.StatusCode, refusal.RetryAfter));
        Assert.Contains("Shockwave:UpgradesPerSecond", refusal.Text, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(1));
        Reserve(limits, _client);
    }

    [Fact]
    public void CommittedReservation_IsGivenBackByTheEndOfItsConnectionOnly()
    {
        var limits = Create(options => options.MaxConnections = 1);
        var reservation = Reserve(limits, _client);
        reservation.Commit();
        reservation.Dispose();
        Assert.Equal((1, 1), (limits.Count, limits.AddressCount));
        limits.Release(_client);
        Assert.Equal((0, 0), (limits.Count, limits.AddressCount));
    }

    [Fact]
    public async Task ReservationsThatRace_NeverExceedALimitAndLeaveNothingBehind()
    {
        const int Most = 5, PerAddress = 2, Addresses = 4;
        var limits = Create(options =>
        {
            options.MaxConnections = Most;
            options.MaxConnectionsPerAddress = PerAddress;
        });
        int[] perAddress = new int[Addresses];
        int all = 0, taken = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(() =>
        {
            var random = new Random(seed);
            for (int i = 0; i < 20_000; i++)
            {
                int number = random.Next(Addresses);
                var address = new IPAddress([192, 0, 2, (byte)number]);
                if (limits.TryReserve(address, out _) is not { } reservation)
                {
                    continue;
                }

                Interlocked.Increment(ref taken);
                Assert.InRange(Interlocked.Increment(ref all), 1, Most);
                Assert.InRange(Interlocked.Increment(ref perAddress[number]), 1, PerAddress);
                Interlocked.Decrement(ref perAddress[number]);
                Interlocked.Decrement(ref all);
                if (random.Next(2) == 0)
                {
                    reservation.Commit();
                    limits.Release(address);
                }

                reservation.Dispose();
            }
        })));
        Assert.Equal((0, 0), (limits.Count, limits.AddressCount));
        Assert.InRange(taken, 1, 160_000);
    }

    private ConnectionLimits Create(Action<ShockwaveOptions> configure)
    {
        var options = new ShockwaveOptions { UpgradesPerSecond = null };
        configure(options);
        return new ConnectionLimits(options, _time);
    }

    private static ConnectionReservation Reserve(ConnectionLimits limits, IPAddress? address)
    {
        var reservation = limits.TryReserve(address, out var refusal);
        Assert.Null(refusal);
        return reservation!;
    }

    private static Refusal Refuse(ConnectionLimits limits, IPAddress? address)
    {
        Assert.Null(limits.TryReserve(address, out var refusal));
        return refusal!;
    }
}
