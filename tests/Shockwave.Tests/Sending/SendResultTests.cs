using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class SendResultTests
{
    private const int Capacity = 64 * 1024;

    [Fact]
    public async Task MessagesOfManyThreads_ArriveWholeAndInTheOrderOfEachThread()
    {
        const int Threads = 4, Each = 2000;
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { MaxBufferedBytes = 1 << 30, HighWatermarkBytes = 1 << 30 });
        var writers = Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            byte[] payload = new byte[8 + (thread * 3000)];
            for (int i = 0; i < Each; i++)
            {
                payload.AsSpan().Fill((byte)thread);
                BitConverter.TryWriteBytes(payload, i);
                Assert.Equal(SendResult.Accepted, peer.Connection.WriteMessage(payload, MessageType.Binary));
            }
        })).ToArray();

        int[] next = new int[Threads];
        for (int received = 0; received < Threads * Each; received++)
        {
            byte[] payload = (await peer.ReadFrameAsync())!.Value.Payload;
            int thread = payload[^1];
            Assert.Equal(8 + (thread * 3000), payload.Length);
            Assert.Equal(next[thread]++, BitConverter.ToInt32(payload));
            Assert.True(payload.AsSpan(4).IndexOfAnyExcept((byte)thread) < 0);
        }

        await Task.WhenAll(writers);
        Assert.Equal(0, peer.Connection.BufferedBytes);
    }

    [Fact]
    public async Task PeerThatDoesNotRead_CausesBackpressureThenThePolicyAndDrainOnlyWhenEmpty()
    {
        var results = new List<SendResult>();
        var drained = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        byte[] block = new byte[16 * 1024];
        var handler = new ScriptedHandler
        {
            Received = (connection, _) =>
            {
                while (results.Count(result => result == SendResult.Dropped) < 3)
                {
                    results.Add(connection.WriteMessage(block, MessageType.Binary));
                }

                full.SetResult();
            },
            Drained = connection => drained.SetResult(connection.BufferedBytes),
        };
        var options = new TestOptions { HighWatermarkBytes = 100_000, MaxBufferedBytes = 300_000, Overflow = OverflowPolicy.DropNewest };
        await using var peer = Peer.Connect(handler, options, capacity: Capacity);
        await peer.SendAsync("go");
        await full.Task;
        Assert.True(peer.Connection.BufferedBytes <= options.MaxBufferedBytes + 16);
        Assert.Equal(3, peer.Server.GetStatistics().MessagesDropped);
        int accepted = results.Count - 3;
        for (int i = 0; i < accepted; i++)
        {
            Assert.Equal(block.Length, (await peer.ReadFrameAsync())!.Value.Payload.Length);
        }

        Assert.Equal(0, await drained.Task);
        Assert.Equal([.. Enumerable.Repeat(SendResult.Accepted, 6), .. Enumerable.Repeat(SendResult.Backpressure, accepted - 6), .. Enumerable.Repeat(SendResult.Dropped, 3)], results);
    }

    [Fact]
    public async Task Overflow_ClosesWith1013WhereThePolicySaysSo()
    {
        var handler = new ScriptedHandler
        {
            Received = (connection, _) =>
            {
                while (connection.WriteMessage(new byte[10_000], MessageType.Binary) is SendResult.Accepted or SendResult.Backpressure)
                {
                }

                Assert.Equal(SendResult.Closed, connection.WriteMessage("more"u8, MessageType.Text));
            },
        };
        await using var peer = Peer.Connect(handler, new TestOptions { MaxBufferedBytes = 300_000 }, capacity: Capacity);
        await peer.SendAsync("go");
        while (await peer.ReadFrameAsync() is { } frame)
        {
            if (frame.Header.Opcode == Opcode.Close)
            {
                Assert.Null(ClosePayload.Decode(frame.Payload, out var code, out _));
                Assert.Equal(CloseCode.TryAgainLater, code);
                return;
            }
        }

        Assert.Fail("no Close frame");
    }

    [Fact]
    public async Task MessageLargerThanTheLimit_IsAcceptedAlone()
    {
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { MaxBufferedBytes = 1000, HighWatermarkBytes = 500 });
        Assert.Equal(SendResult.Backpressure, peer.Connection.WriteMessage(new byte[5000], MessageType.Binary));
        Assert.Equal(5000, (await peer.ReadFrameAsync())!.Value.Payload.Length);
    }

    [Fact]
    public async Task WriteMessageAsync_WaitsForRoomAndKeepsTheOrderOfItsCalls()
    {
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { HighWatermarkBytes = 100_000 }, capacity: Capacity);
        var writes = new List<Task<SendResult>>();
        for (int i = 0; i < 200; i++)
        {
            byte[] payload = new byte[10_000];
            BitConverter.TryWriteBytes(payload, i);
            writes.Add(peer.Connection.WriteMessageAsync(payload, MessageType.Binary).AsTask());
        }

        await peer.OwnerIsIdleAsync();
        Assert.Contains(writes, write => !write.IsCompleted);
        Assert.InRange(peer.Connection.BufferedBytes, 100_000, 130_000);
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(i, BitConverter.ToInt32((await peer.ReadFrameAsync())!.Value.Payload));
        }

        Assert.All(await Task.WhenAll(writes), result => Assert.True(result is SendResult.Accepted or SendResult.Backpressure));
    }

    [Fact]
    public async Task WriteMessageAsync_OfMessagesThatFitOnlyAlone_WaitsAndNeverOverflows()
    {
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { HighWatermarkBytes = 256 * 1024, MaxBufferedBytes = 1024 * 1024 }, capacity: Capacity);
        var writers = Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            byte[] small = new byte[200_000], large = new byte[900_000];
            for (int i = 0; i < 5; i++)
            {
                Assert.NotEqual(SendResult.Closed, await peer.Connection.WriteMessageAsync(small, MessageType.Binary));
                var result = await peer.Connection.WriteMessageAsync(large, MessageType.Binary);
                Assert.True(result is SendResult.Accepted or SendResult.Backpressure, $"{result}");

                // The owner may accept one while another thread takes the room that it has just looked at.
                Assert.InRange(peer.Connection.BufferedBytes, 0, 2 * 1024 * 1024);
            }
        })).ToArray();
        for (int i = 0; i < 40; i++)
        {
            Assert.Equal(Opcode.Binary, (await peer.ReadFrameAsync())!.Value.Header.Opcode);
        }

        await Task.WhenAll(writers);
        Assert.Equal(0, peer.Server.GetStatistics().MessagesDropped);
    }

    [Fact]
    public async Task MemoryThatIsGoneBeforeItsTurn_FailsThatWriteOnly()
    {
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { HighWatermarkBytes = 50_000 }, capacity: Capacity);
        await peer.Connection.WriteMessageAsync(new byte[200_000], MessageType.Binary);
        await peer.OwnerIsIdleAsync();
        var memory = new GoneMemory();
        var gone = peer.Connection.WriteMessageAsync(memory.Memory, MessageType.Binary).AsTask();
        memory.IsGone = true;
        var kept = peer.Connection.WriteMessageAsync("kept"u8.ToArray(), MessageType.Text).AsTask();
        Assert.Equal(200_000, (await peer.ReadFrameAsync())!.Value.Payload.Length);
        Assert.Equal("kept", await peer.ReadTextAsync());
        Assert.Equal(SendResult.Accepted, await kept);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => gone);
    }

    [Fact]
    public async Task CancelledWrite_IsNotSentAndNoFrameIsCut()
    {
        using var cancel = new CancellationTokenSource();
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { HighWatermarkBytes = 50_000 }, capacity: Capacity);
        var first = peer.Connection.WriteMessageAsync(new byte[200_000], MessageType.Binary);
        await first;
        await peer.OwnerIsIdleAsync();
        var cancelled = peer.Connection.WriteMessageAsync("never"u8.ToArray(), MessageType.Text, cancel.Token).AsTask();
        var kept = peer.Connection.WriteMessageAsync("kept"u8.ToArray(), MessageType.Text).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await peer.Connection.WriteMessageAsync("never"u8.ToArray(), MessageType.Text, cancel.Token));
        Assert.Equal(200_000, (await peer.ReadFrameAsync())!.Value.Payload.Length);
        Assert.Equal("kept", await peer.ReadTextAsync());
        Assert.Equal(SendResult.Accepted, await kept);
    }

    [Fact]
    public async Task WritesThatWait_LearnOfTheClose()
    {
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { HighWatermarkBytes = 50_000 }, capacity: Capacity);
        await peer.Connection.WriteMessageAsync(new byte[200_000], MessageType.Binary);
        await peer.OwnerIsIdleAsync();
        var waiting = peer.Connection.WriteMessageAsync("never"u8.ToArray(), MessageType.Text).AsTask();
        peer.Connection.Close();
        Assert.Equal(SendResult.Closed, await waiting);
        Assert.Equal(SendResult.Closed, await peer.Connection.WriteMessageAsync("late"u8.ToArray(), MessageType.Text));
        Assert.Equal(SendResult.Closed, peer.Connection.WriteMessage("late"u8, MessageType.Text));
    }

    [Fact]
    public async Task PeerThatTakesNothing_IsAbortedAfterTheWriteTimeout()
    {
        var time = new ManualTimeProvider();
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler, time: time, capacity: Capacity);
        peer.Connection.WriteMessage(new byte[900_000], MessageType.Binary);
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(11));
        Assert.IsType<TimeoutException>((await handler.Closed).Cause);
    }

    [Fact]
    public async Task PingFloodOfAPeerThatDoesNotRead_HoldsOnePong()
    {
        await using var peer = Peer.Connect(new EchoHandler(), capacity: Capacity);
        peer.Connection.WriteMessage(new byte[200_000], MessageType.Binary);
        await peer.OwnerIsIdleAsync();
        for (int i = 0; i < 10_000; i++)
        {
            await peer.SendAsync(Opcode.Ping, Encoding.ASCII.GetBytes($"{i}"));
        }

        await peer.OwnerIsIdleAsync();
        Assert.True(peer.Connection.BufferedBytes <= 200_020);
        await peer.ReadFrameAsync();
        string last = "";
        int pongs = 0;
        while (last != "9999")
        {
            last = Encoding.ASCII.GetString((await peer.ReadFrameAsync())!.Value.Payload);
            pongs++;
        }

        Assert.InRange(pongs, 1, 5000);
    }

    [Fact]
    public async Task OtherTypes_CannotBeSent()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        Assert.Throws<ArgumentOutOfRangeException>(() => peer.Connection.WriteMessage("x"u8, MessageType.Close));
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = peer.Connection.WriteMessageAsync("x"u8.ToArray(), 0); });
    }

    [Fact]
    public async Task CompressedConnection_CompressesWhatIsLargeEnoughAndReadsWhatThePeerCompressed()
    {
        foreach (bool takeover in (bool[])[false, true])
        {
            var agreed = new PermessageDeflateParameters(!takeover, !takeover, 15, 15);
            await using var peer = Peer.Connect(new EchoHandler(), compression: agreed);
            using var inflater = DeflateProvider.Current.CreateInflater();
            using var deflater = DeflateProvider.Current.CreateDeflater(1, 15, takeover);
            for (int i = 0; i < 10; i++)
            {
                byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"message {i} ", 200)));
                var compressed = new System.Buffers.ArrayBufferWriter<byte>();
                deflater.Compress(text, compressed);
                using var writer = new FrameWriter(() => 99);
                writer.WriteFrame(Opcode.Text, compressed.WrittenSpan, isCompressed: true);
                await peer.SendBytesAsync(writer.Written.ToArray());
                var (header, payload) = (await peer.ReadFrameAsync())!.Value;
                Assert.True(header.Rsv1);
                Assert.True(payload.Length < text.Length / 4);
                byte[] inflated = new byte[text.Length];
                if (!takeover)
                {
                    inflater.Reset();
                }

                Assert.Equal(System.Buffers.OperationStatus.Done, inflater.Inflate(payload, inflated, true, out _, out int length));
                Assert.Equal(text, inflated.AsSpan(0, length).ToArray());
            }

            await peer.SendAsync("small");
            Assert.Equal("small", await peer.ReadTextAsync());
        }
    }

    private sealed class GoneMemory : System.Buffers.MemoryManager<byte>
    {
        public bool IsGone { get; set; }

        public override Memory<byte> Memory => CreateMemory(10);

        public override Span<byte> GetSpan() => IsGone ? throw new ObjectDisposedException(nameof(GoneMemory)) : new byte[10];

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
