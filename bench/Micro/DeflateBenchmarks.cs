using System.Buffers;
using System.IO.Compression;
using System.Text;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>
/// 1 KiB of JSON through the instances that connections without context takeover share, beside a DeflateStream for each message.
/// </summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class DeflateBenchmarks
{
    private const int Size = 1024;
    private const int Level = 1;

    private readonly SharedDeflate _shared = new(DeflateProvider.Current, Level);
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly MemoryStream _streamOutput = new();
    private readonly byte[] _inflated = new byte[Size + 1];
    private readonly byte[] _message = CreateJson();
    private byte[] _payload = [];

    [GlobalSetup]
    public void Setup()
    {
        Compress();
        _payload = _output.WrittenSpan.ToArray();
        TestData.Check(Inflate() == Size && _inflated.AsSpan(0, Size).SequenceEqual(_message));
        Array.Clear(_inflated);
        TestData.Check(InflateByStream() == Size && _inflated.AsSpan(0, Size).SequenceEqual(_message));
        CompressByStream();
        using var stream = new DeflateStream(new MemoryStream(_streamOutput.ToArray()), CompressionMode.Decompress);
        TestData.Check(stream.ReadAtLeast(_inflated, Size, throwOnEndOfStream: false) == Size && _inflated.AsSpan(0, Size).SequenceEqual(_message));
    }

    [GlobalCleanup]
    public void Cleanup() => _shared.Dispose();

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("compress")]
    public void CompressByStream()
    {
        _streamOutput.SetLength(0);
        using var stream = new DeflateStream(_streamOutput, CompressionLevel.Fastest, leaveOpen: true);
        stream.Write(_message);
    }

    [Benchmark]
    [BenchmarkCategory("compress")]
    public void Compress()
    {
        _output.ResetWrittenCount();
        _shared.GetDeflater(DeflateProvider.MaxWindowBits).Compress(_message, _output);
    }

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("inflate")]
    public int InflateByStream()
    {
        using var stream = new DeflateStream(new MemoryStream(_payload), CompressionMode.Decompress);
        return stream.ReadAtLeast(_inflated, Size, throwOnEndOfStream: false);
    }

    [Benchmark]
    [BenchmarkCategory("inflate")]
    public int Inflate()
    {
        MessageInflater inflater = _shared.RentInflater();
        OperationStatus status = inflater.Inflate(_payload, _inflated, isFinal: true, out _, out int written);
        _shared.Return(inflater);
        return status == OperationStatus.Done ? written : -1;
    }

    private static byte[] CreateJson()
    {
        string[] users = [.. Enumerable.Range(0, 40).Select(id => $$"""{"id":{{id * 7919}},"name":"user {{id}}","online":{{(id % 3 == 0 ? "true" : "false")}}}""")];
        string text = $$"""{"type":"presence","users":[{{string.Join(',', users)}}]}""";

        // Cut to size: what matters is how it compresses.
        return Encoding.UTF8.GetBytes(text)[..Size];
    }
}
