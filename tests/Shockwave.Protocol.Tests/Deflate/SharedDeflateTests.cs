namespace Shockwave.Protocol.Tests;

public sealed class SharedDeflateTests
{
    public static TheoryData<string> Providers => DeflateProviders.Both;

    [Theory]
    [MemberData(nameof(Providers))]
    public void RentedInflater_KnowsNothingOfTheMessageBefore(string provider)
    {
        using var shared = new SharedDeflate(DeflateProviders.Get(provider), level: 1);
        var inflater = shared.RentInflater();
        Assert.Equal("Hello", inflater.InflateText("f2 48 cd c9 c9 07 00"));
        shared.Return(inflater);
        Assert.Same(inflater, shared.RentInflater());
        Assert.Null(inflater.InflateText("f2 00 11 00 00"));
        shared.Return(inflater);
        Assert.Equal("Hello", shared.RentInflater().InflateText("f2 48 cd c9 c9 07 00"));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void InflatersOnLoan_AreDifferentAndNotAllKept(string provider)
    {
        var shared = new SharedDeflate(DeflateProviders.Get(provider), level: 1);
        var rented = Enumerable.Range(0, 40).Select(_ => shared.RentInflater()).ToList();
        Assert.Equal(40, rented.Distinct().Count());
        rented.ForEach(shared.Return);
        Assert.Equal(16, shared.IdleInflaterCount);
        Assert.Throws<ObjectDisposedException>(rented[^1].Reset);
        shared.Dispose();
        Assert.All(rented, inflater => Assert.Throws<ObjectDisposedException>(inflater.Reset));
    }

    [Fact]
    public void InflaterNotOnLoan_IsNotTakenBack()
    {
        using var shared = new SharedDeflate(new NativeZlib(), level: 1);
        using var other = new SharedDeflate(new NativeZlib(), level: 1);
        using var own = new NativeInflater(15);
        var inflater = shared.RentInflater();
        Assert.Throws<InvalidOperationException>(() => other.Return(inflater));
        Assert.Throws<InvalidOperationException>(() => shared.Return(own));
        shared.Return(inflater);
        Assert.Throws<InvalidOperationException>(() => shared.Return(inflater));
        Assert.Equal(1, shared.IdleInflaterCount);
    }

    [Fact]
    public void InflaterReturnedAfterTheOwnerHasGone_IsFreed()
    {
        var shared = new SharedDeflate(new NativeZlib(), level: 1);
        var inflater = shared.RentInflater();
        shared.Dispose();
        shared.Return(inflater);
        Assert.Throws<ObjectDisposedException>(inflater.Reset);
        Assert.Throws<ObjectDisposedException>(() => shared.RentInflater());
        Assert.Throws<ObjectDisposedException>(() => shared.GetDeflater(15));
    }

    [Fact]
    public void Deflater_IsOnePerWindowAndServesAnyConnection()
    {
        var shared = new SharedDeflate(new NativeZlib(), level: 1);
        var deflater = shared.GetDeflater(15);
        Assert.Same(deflater, shared.GetDeflater(15));
        Assert.NotSame(deflater, shared.GetDeflater(9));
        foreach (string user in (string[])["alice", "bob", "alice"])
        {
            byte[] message = System.Text.Encoding.UTF8.GetBytes($"{{\"user\":\"{user}\"}}");
            using var peer = new ManagedInflater(15);
            Assert.Equal(message, peer.Inflate(deflater.Compress(message)));
        }

        shared.Dispose();
        Assert.Throws<ObjectDisposedException>(() => deflater.Compress("a"u8));
    }
}
