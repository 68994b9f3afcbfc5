using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>
/// Masking beside the copy that any receive path pays anyway. <c>Native/mask.c</c> gives the figures of a C compiler for the same sizes.
/// </summary>
[MemoryDiagnoser]
public class MaskerBenchmarks
{
    private const uint Key = 0x3D21FA37;

    private byte[] _source = [];
    private byte[] _destination = [];

    [Params(64, 256, 1024, 4096)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _source = Allocate(Size);
        _destination = Allocate(Size);
        new Random(6455).NextBytes(_source);

        byte[] key = BitConverter.GetBytes(Key);
        byte[] expected = [.. _source.Select((value, i) => (byte)(value ^ key[i % 4]))];
        MaskCopy();
        Check(_destination, expected);
        MaskInPlace();
        Check(_source, expected);
        MaskScalar();
        MaskInPlace();
        Check(_source, expected);
    }

    [Benchmark(Baseline = true)]
    public void CopyTo() => _source.AsSpan().CopyTo(_destination);

    [Benchmark]
    public void MaskInPlace() => Masker.Mask(_source, Key);

    [Benchmark]
    public void MaskCopy() => Masker.Mask(_source, _destination, Key);

    [Benchmark]
    public void MaskScalar()
    {
        ref byte start = ref MemoryMarshal.GetArrayDataReference(_source);
        MaskerScalar.Mask(ref start, ref start, (uint)_source.Length, Key);
    }

    // 16 bytes into a cache line, as in the C program. Across two pages, which chance would decide, 64 bytes take twice the time.
    private static unsafe byte[] Allocate(int size)
    {
        while (true)
        {
            byte[] array = GC.AllocateArray<byte>(size, pinned: true);
            nuint address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
            if (address % 64 == 16 && (size > 2048 || (address % 4096) + (uint)size <= 4096))
            {
                return array;
            }
        }
    }

    private static void Check(byte[] actual, byte[] expected)
    {
        if (!actual.AsSpan().SequenceEqual(expected))
        {
            throw new InvalidOperationException("The masked payload is wrong.");
        }
    }
}
