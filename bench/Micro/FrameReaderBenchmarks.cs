using System.Buffers;
using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>A server reads a client's frame from a stream, beside System.Net.WebSockets on the same stream.</summary>
[MemoryDiagnoser]
public class FrameReaderBenchmarks
{
    private byte[] _destination = [];
    private SystemWebSocket _system = null!;
    private FrameReader _reader = null!;
    private FrameReader _intoReader = null!;
    private PreparedStream _stream = null!;
    private PreparedStream _intoStream = null!;

    [Params(64, 256, 4096)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        byte[] payload = TestData.CreatePayload(Size);
        byte[] frame = TestData.CreateClientFrame(payload);
        _destination = new byte[Size];
        _system = new SystemWebSocket(new PreparedStream(frame), isServer: true);
        (_reader, _stream) = (new FrameReader(EndpointRole.Server), new PreparedStream(frame));
        (_intoReader, _intoStream) = (new FrameReader(EndpointRole.Server), new PreparedStream(frame));
        TestData.Check(SystemNetWebSockets() == Size && _destination.AsSpan().SequenceEqual(payload));
        Array.Clear(_destination);
        TestData.Check(ReadFrameInto() == Size && _destination.AsSpan().SequenceEqual(payload));
        TestData.Check(Receive(_reader, _stream).SequenceEqual(payload));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _system.Dispose();
        _reader.Dispose();
        _intoReader.Dispose();
    }

    [Benchmark(Baseline = true)]
    public int SystemNetWebSockets() => _system.Receive(_destination);

    [Benchmark]
    public int ReadFrame() => Receive(_reader, _stream).Length;

    [Benchmark]
    public int ReadFrameInto()
    {
        int length;
        while (_intoReader.ReadFrameInto(_destination, out _, out length) == OperationStatus.NeedMoreData)
        {
            _intoReader.Advance(_intoStream.Read(_intoReader.GetMemory().Span));
        }

        return length;
    }

    internal static ReadOnlySpan<byte> Receive(FrameReader reader, Stream stream)
    {
        ReadOnlySpan<byte> payload;
        while (reader.ReadFrame(out _, out payload) == OperationStatus.NeedMoreData)
        {
            reader.Advance(stream.Read(reader.GetMemory().Span));
        }

        return payload;
    }
}
