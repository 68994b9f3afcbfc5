using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>A whole message in one masked frame, read in place. The baseline is the copy that stands for receiving it, which is part of both.</summary>
[MemoryDiagnoser]
public class MessageReaderBenchmarks
{
    private readonly MessageReader _reader = new(EndpointRole.Server, new MessageLimits(64 * 1024, 64 * 1024, 1024), ArrayPool<byte>.Shared);
    private byte[] _frame = [];
    private byte[] _received = [];

    [Params(64, 1024, 16384)]
    public int Size { get; set; }

    [Params(false, true)]
    public bool IsText { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        byte[] payload = IsText ? Encoding.UTF8.GetBytes(new string('ä', Size / 2)) : TestData.CreatePayload(Size);
        _frame = TestData.CreateClientFrame(payload, IsText ? Opcode.Text : Opcode.Binary);
        _received = new byte[_frame.Length];
        TestData.Check(ReadMessage() == Size && _reader.IsText == IsText && _received.AsSpan(_frame.Length - Size).SequenceEqual(payload));
    }

    [GlobalCleanup]
    public void Cleanup() => _reader.Dispose();

    [Benchmark(Baseline = true)]
    public void Copy() => _frame.AsSpan().CopyTo(_received);

    [Benchmark]
    public int ReadMessage()
    {
        Copy();
        MessageEvent result = _reader.Read(_received, out _, out Span<byte> payload);
        int length = result == MessageEvent.Message ? payload.Length : -1;
        _reader.ReleaseMessage();
        return length;
    }
}
