namespace Shockwave.AspNetCore.Tests;

public sealed class ConnectionCapacityTests
{
    [Theory]
    [InlineData(20_000, long.MaxValue, 16_000)]
    [InlineData(long.MaxValue, 1L << 30, 16_384)]
    [InlineData(1024, 1L << 20, 16)]
    [InlineData(1, 0, 1)]
    [InlineData(long.MaxValue, long.MaxValue, int.MaxValue)]
    public void IsWhatIsLess_AndAtLeastOne(long openFiles, long memoryBytes, int capacity) => Assert.Equal(capacity, ConnectionCapacity.Of(openFiles, memoryBytes));

    [Fact]
    public void Default_ComesFromTheLimitsOfThisProcess()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has /proc.");
        string line = File.ReadLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        long openFiles = soft == "unlimited" ? long.MaxValue : long.Parse(soft, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(ConnectionCapacity.Of(openFiles, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes), new ShockwaveOptions().MaxConnections);
        Assert.True(ConnectionCapacity.Default > 100);
    }
}
