using System.Buffers;
using System.Collections.Concurrent;
using Shockwave.Engine;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

/// <summary>The other end of a server connection in memory: sends bytes and frames by hand and sees each frame that comes back.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private static readonly NotedEvents _events = new();

    private readonly FrameReader _reader = new(EndpointRole.Client, 32 * 1024 * 1024, allowCompressed: true);
    private readonly FrameWriter _writer = new(() => 0x01020304);
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(30));
    private readonly DuplexStream _stream;
    private readonly Strand _strand;

    private Peer(DuplexStream stream, WebSocketConnection connection, ShockwaveServer server, Strand strand)
    {
        _stream = stream;
        _strand = strand;
        Connection = connection;
        Server = server;
    }

    public WebSocketConnection Connection { get; }

    public ShockwaveServer Server { get; }

    public DuplexStream Stream => _stream;

    /// <summary>Gets what was reported of this connection's handler.</summary>
    public IReadOnlyCollection<Exception> HandlerErrors => _events.ErrorsOf(Connection);

    public static Peer Connect(
        MessageHandler handler, TestOptions? options = null, TimeProvider? time = null, int capacity = 1024 * 1024, PermessageDeflateParameters? compression = null) =>
        Connect(handler.CreateDispatcher(), options, time, capacity, compression);

    public static Peer Connect(
        Func<WebSocketConnection, CancellationToken, Task> serve, TestOptions? options = null, TimeProvider? time = null) =>
        Connect(new PullDispatcher(serve), options, time);

    public static Peer Connect(
        MessageDispatcher dispatcher, TestOptions? options = null, TimeProvider? time = null, int capacity = 1024 * 1024, PermessageDeflateParameters? compression = null)
    {
        time ??= TimeProvider.System;
        var strand = new Strand(time);
        var server = new ShockwaveServer([strand], new ConnectionSettings(options ?? new TestOptions(), time), _events);
        return Join(server, strand, dispatcher, capacity, compression);
    }

    /// <summary>Connects another peer to the same server and owner.</summary>
    public Peer Join(MessageHandler handler) => Join(Server, _strand, handler.CreateDispatcher(), 1024 * 1024, null);

    public ValueTask SendAsync(Opcode opcode, ReadOnlySpan<byte> payload, bool isFinal = true)
    {
        _writer.Clear();
        _writer.WriteFrame(opcode, payload, isFinal);
        return SendBytesAsync(_writer.Written.ToArray());
    }

    public ValueTask SendAsync(string text) => SendAsync(Opcode.Text, System.Text.Encoding.UTF8.GetBytes(text));

    public ValueTask SendBytesAsync(byte[] bytes) => _stream.WriteAsync(bytes);

    /// <summary>Reads the next frame; null at the end of the stream. A test that waits for a frame in vain fails instead of hanging.</summary>
    public async Task<(FrameHeader Header, byte[] Payload)?> ReadFrameAsync()
    {
        while (true)
        {
            if (TryRead() is { } frame)
            {
                return frame;
            }

            int count = await _stream.ReadAsync(_reader.GetMemory(16 * 1024), _patience.Token);
            if (count == 0)
            {
                return null;
            }

            _reader.Advance(count);
        }
    }

    public async Task<string> ReadTextAsync()
    {
        var frame = await ReadFrameAsync() ?? throw new EndOfStreamException();
        Assert.True(frame.Header.Opcode == Opcode.Text, $"{frame.Header} instead of text; the handler's error: {_events.ErrorsOf(Connection).LastOrDefault()}");
        return System.Text.Encoding.UTF8.GetString(frame.Payload);
    }

    public async Task<(CloseCode Code, string Reason)> ReadCloseAsync()
    {
        var frame = await ReadFrameAsync() ?? throw new EndOfStreamException();
        Assert.Equal(Opcode.Close, frame.Header.Opcode);
        Assert.Null(ClosePayload.Decode(frame.Payload, out var code, out string reason));
        return (code, reason);
    }

    public async Task AssertEndAsync() => Assert.Null(await ReadFrameAsync());

    /// <summary>Waits until the owner has done everything posted before, so that what follows sees its effects.</summary>
    public Task OwnerIsIdleAsync()
    {
        var idle = new Idle();
        _strand.Post(idle);
        return idle.Task;
    }

    /// <summary>Lets time pass tick by tick, with the owner's work done after each.</summary>
    public async Task AdvanceAsync(ManualTimeProvider time, TimeSpan by)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += TimerWheel.Tick)
        {
            time.Advance(TimerWheel.Tick);
            await OwnerIsIdleAsync();
            await OwnerIsIdleAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Connection.Abort();
        await Connection.Completion.WaitAsync(_patience.Token);
        await _stream.DisposeAsync();
        _reader.Dispose();
        _writer.Dispose();
        _patience.Dispose();
    }

    private static Peer Join(ShockwaveServer server, Strand strand, MessageDispatcher dispatcher, int capacity, PermessageDeflateParameters? compression)
    {
        var (ours, theirs) = DuplexStream.CreatePair(capacity);
        var connection = server.Accept(server.NextShard(), new StreamTransport(strand, ours), dispatcher, UpgradeDetails.None with { Compression = compression });
        return new Peer(theirs, connection, server, strand);
    }

    private (FrameHeader, byte[])? TryRead()
    {
        var status = _reader.ReadFrame(out var header, out var payload);
        Assert.NotEqual(OperationStatus.InvalidData, status);
        return status == OperationStatus.Done ? (header, payload.ToArray()) : null;
    }

    private sealed class NotedEvents : ConnectionEvents
    {
        private readonly ConcurrentDictionary<WebSocketConnection, ConcurrentQueue<Exception>> _errors = new();

        public ConcurrentQueue<Exception> ErrorsOf(WebSocketConnection connection) => _errors.GetValueOrDefault(connection) ?? new();

        public override void HandlerFailed(WebSocketConnection connection, Exception error) => _errors.GetOrAdd(connection, _ => new()).Enqueue(error);

        public override void Ended(WebSocketConnection connection, in CloseInfo info)
        {
        }
    }

    private sealed class Idle : IOwnerWork
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Task => _reached.Task;

        public void Run(object? state, long argument) => _reached.SetResult();
    }
}
