using System.Buffers;
using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>A frame header at each class of length. The baseline moves the same bytes without understanding them.</summary>
public class FrameCodecBenchmarks
{
    private readonly byte[] _encoded = new byte[FrameCodec.MaxHeaderBytes];
    private readonly byte[] _destination = new byte[FrameCodec.MaxHeaderBytes];
    private int _headerLength;
    private FrameHeader _header;

    [Params(125, 65_535, 65_536)]
    public long PayloadLength { get; set; }

    [Params(false, true)]
    public bool IsMasked { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _header = IsMasked ? new FrameHeader(Opcode.Binary, PayloadLength, 0x11223344u) : new FrameHeader(Opcode.Binary, PayloadLength);
        _headerLength = FrameCodec.EncodeHeader(_encoded, _header);
        if (Decode() != PayloadLength || Encode() != _headerLength || !_destination.AsSpan().SequenceEqual(_encoded))
        {
            throw new InvalidOperationException("The codec gives a wrong answer.");
        }
    }

    [Benchmark(Baseline = true)]
    public int Copy()
    {
        _encoded.AsSpan(0, _headerLength).CopyTo(_destination);
        return _headerLength;
    }

    [Benchmark]
    public long Decode() =>
        FrameCodec.DecodeHeader(_encoded, out FrameHeader header, out _) == OperationStatus.Done ? header.PayloadLength : -1;

    [Benchmark]
    public int Encode() => FrameCodec.EncodeHeader(_destination, _header);
}
