namespace Shockwave.Protocol.Tests;

public sealed class InflaterSourceTests
{
    [Fact]
    public void NoSource_MeansNoCompression() => Assert.False(default(InflaterSource).IsEnabled);

    [Fact]
    public void SharedInflater_GoesBackToItsPool()
    {
        using var shared = new SharedDeflate(DeflateProvider.Current, level: 1);
        var source = new InflaterSource(shared, null);
        Assert.True(source.IsEnabled);
        var inflater = source.Rent();
        Assert.Equal(0, shared.IdleInflaterCount);
        source.Return(inflater);
        Assert.Equal(1, shared.IdleInflaterCount);
    }

    [Fact]
    public void DedicatedInflater_StaysWithItsConnection()
    {
        using var dedicated = DeflateProvider.Current.CreateInflater();
        var source = new InflaterSource(null, dedicated);
        Assert.True(source.IsEnabled);
        Assert.Same(dedicated, source.Rent());
        source.Return(dedicated);
        Assert.Same(dedicated, source.Rent());
    }
}
