using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>
/// A frame written to a stream, beside System.Net.WebSockets on the same stream. Both take masking keys from the system's generator
/// where they mask: the client's keys must be unpredictable (RFC 6455 §5.3).
/// </summary>
[MemoryDiagnoser]
public class FrameWriterBenchmarks
{
    private readonly PreparedStream _stream = new([]);
    private readonly PreparedStream _systemStream = new([]);
    private byte[] _payload = [];
    private SystemWebSocket _system = null!;
    private FrameWriter _writer = null!;

    [Params(64, 256, 4096)]
    public int Size { get; set; }

    [Params(false, true)]
    public bool IsMasked { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = TestData.CreatePayload(Size);
        _system = new SystemWebSocket(_systemStream, isServer: !IsMasked);
        _writer = IsMasked ? new FrameWriter(MaskingKeys.Next) : new FrameWriter();
        SystemNetWebSockets();
        WriteFrame();
        TestData.Check(_stream.WrittenBytes == FrameCodec.GetHeaderLength(Size, IsMasked) + Size && _systemStream.WrittenBytes == _stream.WrittenBytes);
        using var reader = new FrameReader(IsMasked ? EndpointRole.Server : EndpointRole.Client);
        reader.Append(_writer.Written.Span);
        TestData.Check(reader.ReadFrame(out _, out var payload) == System.Buffers.OperationStatus.Done && payload.SequenceEqual(_payload));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _system.Dispose();
        _writer.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void SystemNetWebSockets() => _system.Send(_payload);

    [Benchmark]
    public void WriteFrame() => Send(_writer, _stream, _payload);

    internal static void Send(FrameWriter writer, Stream stream, ReadOnlySpan<byte> payload)
    {
        writer.Clear();
        writer.WriteFrame(Opcode.Binary, payload);
        stream.Write(writer.Written.Span);
    }
}
