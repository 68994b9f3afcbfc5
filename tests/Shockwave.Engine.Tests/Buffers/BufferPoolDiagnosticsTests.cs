using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Shockwave.Engine.Tests;

public sealed class BufferPoolDiagnosticsTests
{
    private readonly BufferPoolDiagnostics _diagnostics = new();
    private readonly BufferPool _pool;

    public BufferPoolDiagnosticsTests() => _pool = new BufferPool(_diagnostics);

    [Fact]
    public void AReturnedArray_IsPoisoned()
    {
        byte[] buffer = _pool.Rent(100);
        buffer.AsSpan().Clear();
        Assert.Equal(1, _pool.GetStatistics().LentBuffers);

        _pool.Return(buffer);
        Assert.False(buffer.AsSpan().ContainsAnyExcept(BufferPoolDiagnostics.Poison));
        Assert.Equal(0, _pool.GetStatistics().LentBuffers);
    }

    [Fact]
    public void ReturningTwice_Throws()
    {
        byte[] buffer = _pool.Rent(100);
        _pool.Return(buffer);
        Assert.Contains("returned before", Assert.Throws<InvalidOperationException>(() => _pool.Return(buffer)).Message);
    }

    [Fact]
    public void ReturningAStrangersArray_Throws() => Assert.Throws<InvalidOperationException>(() => _pool.Return(new byte[256]));

    [Fact]
    public void WritingAfterTheReturn_IsSeenWhenTheArrayIsLentAgain()
    {
        byte[] buffer = _pool.Rent(100);
        _pool.Return(buffer);
        buffer[5] = 1;
        Assert.Contains("written to after", Assert.Throws<InvalidOperationException>(() => _pool.Rent(100)).Message);
    }

    [Fact]
    public void AnOwner_IsWatchedToo()
    {
        var owner = _pool.ForOwner();
        byte[] buffer = owner.Rent(100);
        owner.Return(buffer);
        Assert.Throws<InvalidOperationException>(() => owner.Return(buffer));
    }

    [Fact]
    [SuppressMessage("ApiDesign", "RS0030", Justification = "What a collection finds is what is asked for.")]
    public void AnArrayThatIsNeverReturned_IsReported_WithTheStackThatRentedIt()
    {
        string? leak = null;
        _diagnostics.Leaked += text => Volatile.Write(ref leak, text);
        RentAndForget();
        for (int i = 0; i < 10 && Volatile.Read(ref leak) is null; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Contains(nameof(RentAndForget), leak);
        Assert.Equal(0, _diagnostics.LentCount);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RentAndForget() => _pool.Rent(100)[0] = 1;
}
