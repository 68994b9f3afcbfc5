using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>An echo: the client's frame to the server and the server's back, over a pair of streams in memory.</summary>
[MemoryDiagnoser]
public class FrameRoundTripBenchmarks
{
    private byte[] _payload = [];
    private byte[] _received = [];
    private SystemWebSocket _systemClient = null!;
    private SystemWebSocket _systemServer = null!;
    private PairedStream _client = null!;
    private PairedStream _server = null!;
    private FrameReader _clientReader = null!;
    private FrameReader _serverReader = null!;
    private FrameWriter _clientWriter = null!;
    private FrameWriter _serverWriter = null!;

    [Params(64, 256, 4096)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = TestData.CreatePayload(Size);
        _received = new byte[Size];
        (_client, _server) = PairedStream.Create();
        _clientReader = new FrameReader(EndpointRole.Client);
        _serverReader = new FrameReader(EndpointRole.Server);
        _clientWriter = new FrameWriter(MaskingKeys.Next);
        _serverWriter = new FrameWriter();
        (PairedStream client, PairedStream server) = PairedStream.Create();
        _systemClient = new SystemWebSocket(client, isServer: false);
        _systemServer = new SystemWebSocket(server, isServer: true);
        TestData.Check(SystemNetWebSockets() == Size && _received.AsSpan().SequenceEqual(_payload));
        TestData.Check(Echo().SequenceEqual(_payload));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _systemClient.Dispose();
        _systemServer.Dispose();
        _clientReader.Dispose();
        _serverReader.Dispose();
        _clientWriter.Dispose();
        _serverWriter.Dispose();
    }

    [Benchmark(Baseline = true)]
    public int SystemNetWebSockets()
    {
        _systemClient.Send(_payload);
        _systemServer.Receive(_received);
        _systemServer.Send(_received);
        return _systemClient.Receive(_received);
    }

    [Benchmark]
    public int RoundTrip() => Echo().Length;

    private ReadOnlySpan<byte> Echo()
    {
        FrameWriterBenchmarks.Send(_clientWriter, _client, _payload);
        FrameWriterBenchmarks.Send(_serverWriter, _server, FrameReaderBenchmarks.Receive(_serverReader, _server));
        return FrameReaderBenchmarks.Receive(_clientReader, _client);
    }
}
