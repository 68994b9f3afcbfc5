namespace Shockwave.Protocol.Tests;

public sealed class DeflateSelfTestTests
{
    [Fact]
    public void BothProviders_Pass()
    {
        Assert.Null(DeflateSelfTest.Run(new NativeZlib()));
        Assert.Null(DeflateSelfTest.Run(new ManagedZlib("test")));
        Assert.Null(DeflateSelfTest.Run(new BrokenProvider()));
    }

    [Fact]
    public void FullFlushThatKeepsTheHistory_IsFound() =>
        Assert.Equal("window bits 9, without context takeover", DeflateSelfTest.Run(new BrokenProvider(hasContextTakeover: true)));

    [Fact]
    public void WindowLargerThanAskedFor_IsFound() =>
        Assert.Equal("window bits 9, without context takeover", DeflateSelfTest.Run(new BrokenProvider(windowBits: 15)));

    [Fact]
    public void InflaterThatForgets_IsFound() =>
        Assert.NotNull(DeflateSelfTest.Run(new BrokenProvider(isDeaf: true)));
}
