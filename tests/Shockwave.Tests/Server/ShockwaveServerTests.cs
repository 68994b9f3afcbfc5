using System.Buffers;
using System.Diagnostics;
using Shockwave.Engine;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class ShockwaveServerTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(4);

    [Fact]
    public async Task ConnectionsThatEndInEveryWayAtOnce_SeeNoForeignByteAndAllEnd()
    {
        const int Connections = 4000, AtOnce = 64;
        var strands = new StrandGroup(TimeProvider.System, 3);
        var server = new ShockwaveServer(strands.Strands, new ConnectionSettings(new TestOptions { MaxBufferedBytes = 200_000, HighWatermarkBytes = 50_000 }, TimeProvider.System), ConnectionEvents.None);
        var clock = Stopwatch.StartNew();
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            int number;
            while ((number = Interlocked.Increment(ref next)) <= Connections && clock.Elapsed < _limit)
            {
                await Race(server, number);
            }
        })));

        Assert.True(next > AtOnce);
        Assert.Equal(0, server.ConnectionCount);
    }

    [Fact]
    public async Task Stop_WaitsForTheHandlersOfConnectionsThatHaveEnded()
    {
        var message = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var close = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new SlowHandler(message.Task, close.Task);
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("x");
        await handler.Busy;
        var stop = peer.Server.StopAsync(CancellationToken.None);
        Assert.Equal((CloseCode.ServiceRestart, "server stops"), await peer.ReadCloseAsync());
        peer.Stream.Reset();
        await peer.Connection.Completion;
        Assert.Equal(0, peer.Server.ConnectionCount);
        Assert.False(stop.IsCompleted);
        message.SetResult();
        await handler.Closing;
        Assert.False(stop.IsCompleted);
        close.SetException(new InvalidOperationException());
        await stop;
        Assert.Single(peer.HandlerErrors);
    }

    // Longer than CloseTimeout, which a client has to answer the Close frame that comes last.
    [Fact]
    public async Task Stop_GivesASlowPeerAllThatIsBufferedForIt()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler().CreateDispatcher(), options: null, time, capacity: 16 * 1024);
        for (int i = 0; i < 10; i++)
        {
            Assert.NotEqual(SendResult.Closed, peer.Connection.WriteMessage(new byte[60_000], MessageType.Binary));
        }

        var stop = peer.Server.StopAsync(CancellationToken.None);
        await peer.OwnerIsIdleAsync();
        for (int i = 0; i < 10; i++)
        {
            await peer.AdvanceAsync(time, TimeSpan.FromSeconds(4));
            Assert.Equal(60_000, (await peer.ReadFrameAsync())!.Value.Payload.Length);
        }

        Assert.Equal((CloseCode.ServiceRestart, "server stops"), await peer.ReadCloseAsync());
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(4));
        Assert.False(stop.IsCompleted);
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(2));
        await stop;
        Assert.Equal(CloseCode.ServiceRestart, peer.Connection.CloseInfo!.Value.CodeSent);
    }

    [Fact]
    public async Task Stop_WaitsForAPeerThatReadsNothingAsLongAsForAnyOther()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler().CreateDispatcher(), options: null, time, capacity: 16 * 1024);
        peer.Connection.WriteMessage(new byte[60_000], MessageType.Binary);
        await peer.OwnerIsIdleAsync();
        var stop = peer.Server.StopAsync(CancellationToken.None);
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(9));
        Assert.False(stop.IsCompleted);
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(2));
        await stop;
    }

    [Fact]
    public async Task Stop_WaitsForFunctionsThatRead()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = Peer.Connect((_, _) => gate.Task);
        await peer.OwnerIsIdleAsync();
        var stop = peer.Server.StopAsync(CancellationToken.None);
        peer.Stream.Reset();
        await peer.Connection.Completion;
        await peer.OwnerIsIdleAsync();
        Assert.False(stop.IsCompleted);
        gate.SetResult();
        await stop;
    }

    [Fact]
    public async Task Stop_WaitsForNoHandlerLongerThanItMay()
    {
        var never = new TaskCompletionSource();
        using var patience = new CancellationTokenSource();
        var handler = new SlowHandler(never.Task, Task.CompletedTask);
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("x");
        await handler.Busy;
        var stop = peer.Server.StopAsync(patience.Token);
        await patience.CancelAsync();
        await stop;
        await peer.Connection.Completion;
    }

    // One connection, whose payloads in both directions hold nothing but its own number, over and over.
    private static async Task Race(ShockwaveServer server, int number)
    {
        var random = new Random(number);
        var (ours, theirs) = DuplexStream.CreatePair(capacity: 16 * 1024);
        var handler = new SecretHandler(number);
        var shard = server.NextShard();
        var connection = server.Accept(shard, new StreamTransport(shard.Owner, ours), handler.CreateDispatcher(), UpgradeDetails.None);
        byte[][] payloads = [.. Enumerable.Range(0, 4).Select(i => SecretOf(number, random.Next(1, 2 << (4 * i)) * 4))];
        int end = random.Next(6);
        await using (theirs)
        {
            Task[] parts =
            [
                Task.Run(() => Read(theirs, number, howMany: random.Next(30))),
                Task.Run(() => Send(theirs, payloads)),
                Task.Run(() =>
                {
                    foreach (byte[] payload in payloads)
                    {
                        connection.WriteMessage(payload, MessageType.Binary);
                    }
                }),
                Task.Run(async () =>
                {
                    foreach (byte[] payload in payloads)
                    {
                        using var cancel = new CancellationTokenSource();
                        var write = connection.WriteMessageAsync(payload, MessageType.Binary, cancel.Token).AsTask();
                        await cancel.CancelAsync();
                        await Task.WhenAny(write);
                    }
                }),
                Task.Run(() => End(connection, theirs, end)),
            ];
            await Task.WhenAll(parts);

            // Whatever the race left half done.
            connection.Abort();
            await connection.Completion.WaitAsync(TimeSpan.FromSeconds(20));
        }

        await handler.Closed.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.False(handler.HasSeenForeignBytes);
        Assert.False(handler.WasCalledAfterClose);
        Assert.NotNull(connection.CloseInfo);
        Assert.False(connection.IsOpen);
        Assert.Equal(SendResult.Closed, connection.WriteMessage(payloads[0], MessageType.Binary));
    }

    private static void End(WebSocketConnection connection, DuplexStream theirs, int end)
    {
        switch (end)
        {
            case 0:
                connection.Abort();
                break;
            case 1:
                connection.Close();
                connection.Abort();
                break;
            case 2:
                theirs.Reset();
                break;
            case 3:
                connection.Close(CloseCode.GoingAway);
                theirs.CompleteWriting();
                break;
            case 4:
                theirs.CompleteWriting();
                connection.WriteMessage("bye"u8, MessageType.Text);
                connection.Abort();
                break;
            default:
                connection.Abort();
                connection.Close();
                break;
        }
    }

    private static async Task Send(DuplexStream stream, byte[][] payloads)
    {
        using var writer = new FrameWriter(() => 0x01020304);
        try
        {
            foreach (byte[] payload in payloads)
            {
                writer.Clear();
                writer.WriteFrame(Opcode.Binary, payload);
                using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
                await stream.WriteAsync(writer.Written.ToArray(), patience.Token);
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The connection ended first.
        }
    }

    private static async Task Read(DuplexStream stream, int number, int howMany)
    {
        using var reader = new FrameReader(EndpointRole.Client, 1024 * 1024);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        try
        {
            for (int i = 0; i < howMany; i++)
            {
                int count = await stream.ReadAsync(reader.GetMemory(4096), patience.Token);
                if (count == 0)
                {
                    return;
                }

                reader.Advance(count);
                OperationStatus status;
                while ((status = reader.ReadFrame(out var header, out var payload)) == OperationStatus.Done)
                {
                    Assert.True(header.Opcode != Opcode.Binary || IsSecretOf(number, payload.ToArray()), "foreign bytes");
                }

                Assert.Equal(OperationStatus.NeedMoreData, status);
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The connection ended first.
        }
    }

    private static byte[] SecretOf(int number, int length)
    {
        byte[] secret = new byte[length];
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(secret.AsSpan()).Fill(number);
        return secret;
    }

    private static bool IsSecretOf(int number, ReadOnlySpan<byte> payload) =>
        payload.Length % 4 == 0 && !System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(payload).ContainsAnyExcept(number);

    private sealed class SlowHandler(Task message, Task close) : AsyncWebSocketHandler
    {
        private readonly TaskCompletionSource _busy = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Busy => _busy.Task;

        public Task Closing => _closing.Task;

        public override ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage received, CancellationToken closed)
        {
            _busy.SetResult();
            return new(message);
        }

        public override ValueTask OnCloseAsync(WebSocketConnection connection, CloseInfo info)
        {
            _closing.SetResult();
            return new(close);
        }
    }

    private sealed class SecretHandler(int number) : WebSocketHandler
    {
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Closed => _closed.Task;

        public bool HasSeenForeignBytes { get; private set; }

        public bool WasCalledAfterClose { get; private set; }

        public override void OnMessage(WebSocketConnection connection, in Message message)
        {
            WasCalledAfterClose |= _closed.Task.IsCompleted;
            HasSeenForeignBytes |= !IsSecretOf(number, message.Payload);
            connection.WriteMessage(message.Payload, message.Type);
        }

        public override void OnDrain(WebSocketConnection connection) => WasCalledAfterClose |= _closed.Task.IsCompleted;

        public override void OnClose(WebSocketConnection connection, in CloseInfo info) => WasCalledAfterClose |= !_closed.TrySetResult();
    }
}
