using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Shockwave.AspNetCore.Tests;

public sealed class ShockwaveOptionsSetupTests
{
    [Fact]
    public void EveryOption_IsSetFromConfiguration()
    {
        var options = Bind(
            ("MaxMessageBytes", "33554432"), ("MaxFrameBytes", "1000"), ("MaxFragmentsPerMessage", "100000"), ("PingInterval", ""), ("PongTimeout", "00:00:03"),
            ("IdleTimeout", "00:01:00"), ("MessageTimeout", "00:00:05"), ("CloseTimeout", "00:00:00.5"), ("WriteTimeout", "00:00:07"), ("HandlerTimeout", "00:00:08"), ("MaxBufferedBytes", "2000"),
            ("HighWatermarkBytes", "1500"), ("Overflow", "dropnewest"), ("Compression:Enabled", "true"), ("Compression:ThresholdBytes", "0"), ("Compression:Level", "9"),
            ("Compression:AllowContextTakeover", "true"), ("Compression:AllowPeerContextTakeover", "true"), ("Compression:MaxWindowBits", "9"),
            ("AllowedOrigins:0", "https://a.example"), ("AllowAnyOrigin", "true"), ("Subprotocols", "one,two"), ("DrainTimeout", "00:00:10"),
            ("Engine", "iouring"), ("Loops", "3"), ("BusyPoll", "00:00:00.00005"),
            ("MaxConnections", "1"), ("MaxConnectionsPerAddress", ""), ("ExemptAddresses", "10.0.0.0/8,2001:db8::1"), ("AcceptsPerSecond", ""), ("UpgradesPerSecond", "1000000"), ("HandshakeTimeout", "00:00:01"));
        Assert.Null(options.PingInterval);
        Assert.Equal((33554432, 1000, 100000), (options.MaxMessageBytes, options.MaxFrameBytes, options.MaxFragmentsPerMessage));
        Assert.Equal(
            [3, 60, 5, 0.5, 7, 8],
            new[] { options.PongTimeout, options.IdleTimeout!.Value, options.MessageTimeout, options.CloseTimeout, options.WriteTimeout, options.HandlerTimeout!.Value }.Select(time => time.TotalSeconds));
        Assert.Equal((2000, 1500, OverflowPolicy.DropNewest), (options.MaxBufferedBytes, options.HighWatermarkBytes, options.Overflow));
        var compression = options.Compression;
        Assert.Equal(
            (true, 0, 9, true, true, 9),
            (compression.Enabled, compression.ThresholdBytes, compression.Level, compression.AllowContextTakeover, compression.AllowPeerContextTakeover, compression.MaxWindowBits));
        Assert.Equal(["https://a.example"], options.AllowedOrigins);
        Assert.Equal(["one", "two"], options.Subprotocols);
        Assert.True(options.AllowAnyOrigin);
        Assert.Equal(10, options.DrainTimeout.TotalSeconds);
        Assert.Equal((EngineKind.IoUring, 3, 50), (options.Engine, options.Loops, options.BusyPoll.TotalMicroseconds));

        Assert.Equal((1, null, null, 1_000_000, 1), (options.MaxConnections, options.MaxConnectionsPerAddress, options.AcceptsPerSecond, options.UpgradesPerSecond, options.HandshakeTimeout.TotalSeconds));
        Assert.Equal(["10.0.0.0/8", "2001:db8::1"], options.ExemptAddresses);

        // The list above is all there is: an option without a line there fails here.
        Assert.Equal(32, ShockwaveOptionRules.All.Count);
    }

    [Theory]
    [InlineData("MaxMessageBytes", "0", "1 to 2147483591 (bytes)")]
    [InlineData("MaxMessageBytes", "-1", "1 to 2147483591 (bytes)")]
    [InlineData("MaxMessageBytes", "99999999999", "1 to 2147483591 (bytes)")]
    [InlineData("MaxMessageBytes", "many", "1 to 2147483591 (bytes)")]
    [InlineData("MaxFrameBytes", "0", "1 to 2147483591 (bytes)")]
    [InlineData("MaxFragmentsPerMessage", "0", "1 to 2147483647")]
    [InlineData("PingInterval", "00:00:00.5", "00:00:01 to 1.00:00:00")]
    [InlineData("PongTimeout", "", "00:00:01 to 1.00:00:00")]
    [InlineData("CloseTimeout", "soon", "00:00:00.1 to 1.00:00:00")]
    [InlineData("HighWatermarkBytes", "1048577", "1 to MaxBufferedBytes (bytes)")]
    [InlineData("Overflow", "Ignore", "CloseConnection or DropNewest")]
    [InlineData("Overflow", "7", "CloseConnection or DropNewest")]
    [InlineData("Compression:Enabled", "perhaps", "true or false")]
    [InlineData("Compression:Level", "10", "1 to 9")]
    [InlineData("Compression:MaxWindowBits", "8", "9 to 15")]
    [InlineData("AllowedOrigins:0", "example.com", "https://example.com")]
    [InlineData("Subprotocols", "a\"b", "tokens")]
    [InlineData("Engine", "Fast", "Auto or Epoll or IoUring or Portable")]
    [InlineData("Loops", "0", "1 to 1024")]
    [InlineData("BusyPoll", "00:00:00.0100001", "00:00:00 to 00:00:00.01")]
    [InlineData("MaxConnections", "0", "1 to 2147483647, or empty for no limit")]
    [InlineData("MaxConnections", "2147483648", "1 to 2147483647, or empty for no limit")]
    [InlineData("MaxConnectionsPerAddress", "0", "1 to 2147483647, or empty for no limit")]
    [InlineData("AcceptsPerSecond", "0", "1 to 1000000, or empty for no limit")]
    [InlineData("AcceptsPerSecond", "1000001", "1 to 1000000, or empty for no limit")]
    [InlineData("UpgradesPerSecond", "0", "1 to 1000000, or empty for no limit")]
    [InlineData("UpgradesPerSecond", "1000001", "1 to 1000000, or empty for no limit")]
    [InlineData("HandshakeTimeout", "00:00:00.9", "00:00:01 to 1.00:00:00")]
    [InlineData("HandshakeTimeout", "1.00:00:01", "00:00:01 to 1.00:00:00")]
    [InlineData("ExemptAddresses:0", "10.1", "IP addresses, or networks in CIDR notation")]
    [InlineData("ExemptAddresses:0", "10.0.0.0/33", "IP addresses, or networks in CIDR notation")]
    [InlineData("ExemptAddresses:0", "localhost", "IP addresses, or networks in CIDR notation")]
    public void ValueOutOfRange_IsNamedWithItsRange(string option, string value, string range)
    {
        var error = Assert.Throws<OptionsValidationException>(() => Bind((option, value)));
        string failure = Assert.Single(error.Failures);
        Assert.StartsWith($"Shockwave:{option.Replace(":0", "", StringComparison.Ordinal)} is '{value}'; it must be ", failure, StringComparison.Ordinal);
        Assert.Contains(range, failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MaxMesageBytes")]
    [InlineData("Compression:Levle")]
    [InlineData("Compression")]
    [InlineData("Nested:Deep:Key")]
    public void UnknownKey_IsNamedWithTheOptionsThatExist(string key)
    {
        var error = Assert.Throws<OptionsValidationException>(() => Bind((key, "1")));
        Assert.Contains($"Shockwave:{key} is not an option", Assert.Single(error.Failures), StringComparison.Ordinal);
        Assert.Contains("MaxMessageBytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SeveralMistakes_AreToldAtOnce()
    {
        var error = Assert.Throws<OptionsValidationException>(() => Bind(("Typo", "1"), ("MaxMessageBytes", "x"), ("PongTimeout", "00:00:00")));
        Assert.Equal(3, error.Failures.Count());
    }

    [Fact]
    public async Task Mistake_StopsTheStart()
    {
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => TestApplication.StartAsync(_ => { }, null, ("Shockwave:MaxMessageBytes", "0")));
        Assert.Contains("Shockwave:MaxMessageBytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CodeComesAfterConfiguration()
    {
        var options = Bind(options => options.MaxMessageBytes = 7, ("MaxMessageBytes", "5"), ("MaxFragmentsPerMessage", "6"));
        Assert.Equal((7, 6), (options.MaxMessageBytes, options.MaxFragmentsPerMessage));
        Assert.Throws<OptionsValidationException>(() => Bind(options => options.DrainTimeout = TimeSpan.Zero));
    }

    private static ShockwaveOptions Bind(params (string Name, string Value)[] values) => Bind(null, values);

    private static ShockwaveOptions Bind(Action<ShockwaveOptions>? configure, params (string Name, string Value)[] values)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(pair => new KeyValuePair<string, string?>($"Shockwave:{pair.Name}", pair.Value))).Build());
        services.AddShockwave(configure);
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<ShockwaveOptions>>().Value;
    }
}
