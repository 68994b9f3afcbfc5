namespace Shockwave.Engine.Tests;

public sealed class BufferStackTests
{
    private readonly BufferStack _stack = new(capacity: 3);
    private readonly byte[][] _buffers = [.. Enumerable.Range(0, 4).Select(_ => new byte[1])];

    [Fact]
    public void TakesUpToItsCapacity_LastInFirstOut()
    {
        Assert.Equal([true, true, true, false], _buffers.Select(_stack.TryPush));
        Assert.Equal(3, _stack.Count);
        Assert.Equal([_buffers[2], _buffers[1], _buffers[0], null], Enumerable.Range(0, 4).Select(_ => _stack.TryPop()));
        Assert.Equal(0, _stack.Count);
    }

    [Fact]
    public void Trim_RemovesWhatLayThereSinceTheLastOne()
    {
        _stack.TryPush(_buffers[0]);
        _stack.TryPush(_buffers[1]);
        _stack.TryPush(_buffers[2]);
        _stack.Trim(toNothing: false);
        Assert.Equal(3, _stack.Count);

        // Two of the three are used.
        _stack.TryPop();
        _stack.TryPop();
        _stack.TryPush(_buffers[1]);
        _stack.TryPush(_buffers[2]);
        _stack.Trim(toNothing: false);
        Assert.Equal(2, _stack.Count);
        Assert.Same(_buffers[2], _stack.TryPop());
        Assert.Same(_buffers[1], _stack.TryPop());
    }

    [Fact]
    public void Trim_ToNothing_RemovesAll()
    {
        _stack.TryPush(_buffers[0]);
        _stack.Trim(toNothing: true);
        Assert.Null(_stack.TryPop());
        Assert.True(_stack.TryPush(_buffers[1]));
        Assert.Same(_buffers[1], _stack.TryPop());
    }
}
