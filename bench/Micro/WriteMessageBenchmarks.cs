using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>A message sent on a connection, to the transport's end, in a turn of its own: nothing is shared with other messages.</summary>
[MemoryDiagnoser]
public class WriteMessageBenchmarks
{
    private readonly PreparedStream _systemStream = new([]);
    private byte[] _payload = [];
    private SystemWebSocket _system = null!;
    private MemoryConnection _memory = null!;

    [Params(64, 1024, 16384)]
    public int Size { get; set; }

    [Params(false, true)]
    public bool IsMasked { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = TestData.CreatePayload(Size);
        _system = new SystemWebSocket(_systemStream, isServer: !IsMasked);
        _memory = new MemoryConnection(IsMasked ? EndpointRole.Client : EndpointRole.Server, new PullDispatcher(null));
        SystemNetWebSockets();
        TestData.Check(OnOwner() == SendResult.Accepted && _memory.Transport.SentBytes == _systemStream.WrittenBytes);
        TestData.Check(Posted() == SendResult.Accepted && _memory.Transport.SentBytes == 2 * _systemStream.WrittenBytes);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _system.Dispose();
        _memory.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void SystemNetWebSockets() => _system.Send(_payload);

    [Benchmark]
    public SendResult OnOwner() => _memory.WriteOnOwner(_payload);

    /// <summary>What another thread's write costs both threads together, the wake-up apart.</summary>
    [Benchmark]
    public SendResult Posted() => _memory.WritePosted(_payload);
}
