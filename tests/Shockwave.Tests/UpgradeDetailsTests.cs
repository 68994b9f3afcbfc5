using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Shockwave.Tests;

public sealed class UpgradeDetailsTests
{
    [Theory]
    [InlineData("127.0.0.1", 80)]
    [InlineData("255.255.255.255", 65535)]
    [InlineData("0.0.0.0", 0)]
    [InlineData("::", 0)]
    [InlineData("2001:db8::1", 443)]
    [InlineData("::ffff:10.0.0.1", 443)]
    public void Address_IsKeptApartAndComesBack(string address, int port)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), port);
        var kept = new UpgradeDetails { RemoteEndPoint = endPoint }.Shrink(out var stored);
        Assert.Same(UpgradeDetails.None, kept);
        Assert.Equal(endPoint, stored.ToEndPoint());
    }

    [Fact]
    public void AddressThatIsMoreThanAnAddress_IsKeptAsItIs()
    {
        EndPoint[] endPoints = [new IPEndPoint(IPAddress.Parse("fe80::1%2"), 1), new UnixDomainSocketEndPoint("/s"), new DnsEndPoint("host", 1)];
        foreach (var endPoint in endPoints)
        {
            var kept = new UpgradeDetails { RemoteEndPoint = endPoint }.Shrink(out var stored);
            Assert.Same(endPoint, kept.RemoteEndPoint);
            Assert.Null(stored.ToEndPoint());
        }
    }

    [Fact]
    public void TraceThatIsRecorded_IsKept()
    {
        var recorded = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        var other = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.None);
        Assert.Equal(recorded, new UpgradeDetails { TraceContext = recorded }.Shrink(out _).TraceContext);
        Assert.Same(UpgradeDetails.None, new UpgradeDetails { TraceContext = other }.Shrink(out _));
    }

    [Fact]
    public void EverythingElse_IsKept()
    {
        var details = new UpgradeDetails { Subprotocol = "chat", User = new(), RouteValues = new Dictionary<string, object?> { ["name"] = 1 } };
        Assert.Equal(details, details.Shrink(out _));
    }
}
