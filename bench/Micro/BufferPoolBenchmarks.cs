using System.Buffers;
using BenchmarkDotNet.Attributes;
using Shockwave.Engine;

namespace Shockwave.Micro;

/// <summary>A buffer rented and returned: from the runtime's pool, from ours by any thread, and from the cache of one owner.</summary>
[MemoryDiagnoser]
public class BufferPoolBenchmarks
{
    private readonly OwnerBuffers _owner = new(BufferPool.Shared);

    [Params(256, 4096, 65536)]
    public int Size { get; set; }

    [Benchmark(Baseline = true)]
    public void ArrayPoolShared()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Size);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    [Benchmark]
    public void Shared()
    {
        byte[] buffer = BufferPool.Shared.Rent(Size);
        BufferPool.Shared.Return(buffer);
    }

    [Benchmark]
    public void Owner()
    {
        byte[] buffer = _owner.Rent(Size);
        _owner.Return(buffer);
    }
}
