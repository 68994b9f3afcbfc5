namespace Shockwave.Engine.Tests;

public sealed class OwnerBuffersTests
{
    private readonly BufferPool _pool = new();
    private readonly OwnerBuffers _buffers;

    public OwnerBuffersTests() => _buffers = new OwnerBuffers(_pool);

    [Theory]
    [InlineData(0, 256)]
    [InlineData(257, 1024)]
    [InlineData(65536, 65536)]
    [InlineData(65537, 131072)]
    [InlineData(1048576, 1048576)]
    [InlineData(1048577, 1048577)]
    public void Rent_LendsAsThePoolDoes(int asked, int expected)
    {
        byte[] buffer = _buffers.Rent(asked);
        Assert.Equal(expected, buffer.Length);
        _buffers.Return(buffer);
    }

    [Fact]
    public void WhatIsReturned_IsLentAgain_WithoutThePool()
    {
        byte[] first = _buffers.Rent(300);
        byte[] second = _buffers.Rent(300);
        _buffers.Return(first);
        _buffers.Return(second);
        Assert.Equal(0, _pool.GetStatistics().KeptBuffers);
        Assert.Same(second, _buffers.Rent(1024));
        Assert.Same(first, _buffers.Rent(1024));
        Assert.Equal(2, _pool.GetStatistics().AllocatedBuffers);
    }

    [Fact]
    public void WhatIsTooMuch_GoesBackToThePool()
    {
        byte[][] lent = [.. Enumerable.Range(0, 20).Select(_ => _buffers.Rent(16384))];
        foreach (byte[] buffer in lent)
        {
            _buffers.Return(buffer);
        }

        Assert.Equal(4, _pool.GetStatistics().KeptBuffers);
        Assert.Equal(20, lent.Select(_ => _buffers.Rent(16384)).Distinct().Count());
        Assert.Equal(20, _pool.GetStatistics().AllocatedBuffers);
    }

    [Fact]
    public void AnArrayOfAnotherLength_IsNotLentAgain()
    {
        byte[] strange = new byte[300];
        _buffers.Return(strange);
        Assert.NotSame(strange, _buffers.Rent(300));
    }

    [Fact]
    public void Return_Clears_WhenAskedTo()
    {
        byte[] buffer = _buffers.Rent(256);
        buffer.AsSpan().Fill(1);
        _buffers.Return(buffer, clearArray: true);
        Assert.False(buffer.AsSpan().ContainsAnyExcept((byte)0));
    }
}
