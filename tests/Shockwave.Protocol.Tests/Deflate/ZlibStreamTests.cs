namespace Shockwave.Protocol.Tests;

public sealed class ZlibStreamTests
{
    [Fact]
    public void WindowOfEightBits_IsNotThereForRawDeflate() =>
        Assert.Throws<InsufficientMemoryException>(() => ZlibStream.OpenDeflate(level: 1, windowBits: 8, memoryLevel: 8));

    [Fact]
    public void DisposedStream_IsNotTouchedAgain()
    {
        var stream = ZlibStream.OpenInflate(15);
        stream.Dispose();
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stream.Run([0], new byte[1], ZlibStream.NoFlush, out _, out _));
        Assert.Throws<ObjectDisposedException>(() => stream.ResetInflate(15));
        Assert.True(stream.IsClosed);
        Assert.False(stream.IsInvalid);
    }
}
