using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>A client's message from the transport to the user: pushed to a handler, or pulled when it is there already.</summary>
[MemoryDiagnoser]
public class ReadBenchmarks
{
    private readonly Receiver _receiver = new();
    private byte[] _frame = [];
    private byte[] _destination = [];
    private SystemWebSocket _system = null!;
    private MemoryConnection _pushed = null!;
    private MemoryConnection _pulled = null!;

    [Params(64, 1024, 16384)]
    public int Size { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        byte[] payload = TestData.CreatePayload(Size);
        _frame = TestData.CreateClientFrame(payload);
        _destination = new byte[Size];
        _system = new SystemWebSocket(new PreparedStream(_frame), isServer: true);
        _pushed = new MemoryConnection(EndpointRole.Server, new PushDispatcher(_receiver));
        _pulled = new MemoryConnection(EndpointRole.Server, new PullDispatcher(null));
        TestData.Check(SystemNetWebSockets() == Size && _destination.AsSpan().SequenceEqual(payload));
        _receiver.Expected = payload;
        TestData.Check(Push() == Size);
        _receiver.Expected = null;
        _pulled.Receive(_frame);
        TestData.Check((await _pulled.Connection.ReadMessageAsync()).Payload.Span.SequenceEqual(payload));
        Array.Clear(_destination);
        TestData.Check((await ReadMessageIntoAsync()).Count == Size && _destination.AsSpan().SequenceEqual(payload));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _system.Dispose();
        _pushed.Dispose();
        _pulled.Dispose();
    }

    [Benchmark(Baseline = true)]
    public int SystemNetWebSockets() => _system.Receive(_destination);

    [Benchmark]
    public int Push()
    {
        _pushed.Receive(_frame);
        return _receiver.Length;
    }

    [Benchmark]
    public ValueTask<ReceivedMessage> ReadMessageAsync()
    {
        _pulled.Receive(_frame);
        return _pulled.Connection.ReadMessageAsync();
    }

    [Benchmark]
    public ValueTask<MessageReadResult> ReadMessageIntoAsync()
    {
        _pulled.Receive(_frame);
        return _pulled.Connection.ReadMessageIntoAsync(_destination);
    }

    private sealed class Receiver : WebSocketHandler
    {
        public byte[]? Expected { get; set; }

        public int Length { get; private set; }

        public override void OnMessage(WebSocketConnection connection, in Message message)
        {
            Length = message.Payload.Length;
            TestData.Check(Expected is null || message.Payload.SequenceEqual(Expected));
        }
    }
}
