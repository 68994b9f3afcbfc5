using System.Text;
using Shockwave.Engine;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class MessageReadsTests
{
    [Fact]
    public async Task PullReads_GetEveryMessageInOrderAndThenTheClose()
    {
        var texts = new List<string>();
        var ended = new TaskCompletionSource<MessageType>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            while (await connection.ReadMessageAsync() is { Type: not MessageType.Close } message)
            {
                texts.Add(message.GetText());
            }

            ended.SetResult((await connection.ReadMessageAsync()).Type);
        });
        for (int i = 0; i < 5000; i++)
        {
            await peer.SendAsync($"{i}");
        }

        await peer.SendAsync(Opcode.Close, [0x03, 0xE8]);
        Assert.Equal(MessageType.Close, await ended.Task);
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => $"{i}"), texts);
        Assert.Equal((CloseCode.NormalClosure, ""), await peer.ReadCloseAsync());
    }

    [Fact]
    public async Task ReadInto_WritesWholeMessagesOfEverySize()
    {
        byte[] buffer = new byte[64 * 1024];
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            while (await connection.ReadMessageIntoAsync(buffer) is { Type: not MessageType.Close } read)
            {
                connection.WriteMessage(buffer.AsSpan(0, read.Count), read.Type);
            }
        });
        foreach (int length in (int[])[0, 1, 125, 126, 4096, 65535, 65536])
        {
            byte[] payload = new byte[length];
            new Random(length).NextBytes(payload);
            await peer.SendAsync(Opcode.Binary, payload.AsSpan(0, length / 2), isFinal: false);
            await peer.SendAsync(Opcode.Continuation, payload.AsSpan(length / 2));
            Assert.Equal(payload, (await peer.ReadFrameAsync())!.Value.Payload);
        }
    }

    [Fact]
    public async Task PeerWhosePongLiesBehindAPause_IsNotBlamedWhenReadingGoesOn()
    {
        var time = new ManualTimeProvider();
        var done = new TaskCompletionSource();
        await using var peer = Peer.Connect((_, _) => done.Task, time: time);
        await peer.SendAsync(Opcode.Binary, new byte[60_000]);
        while (peer.Server.GetStatistics().MessagesReceived < 1)
        {
            await peer.OwnerIsIdleAsync();
        }

        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(40));
        var (header, ping) = (await peer.ReadFrameAsync())!.Value;
        Assert.Equal(Opcode.Ping, header.Opcode);
        await peer.SendAsync(Opcode.Pong, ping);

        // All in one turn: the clock's tick comes between the wish to read on and the reading.
        peer.Connection.Owner.Post(new Work(() =>
        {
            Assert.True(peer.Connection.ReadMessageAsync().IsCompletedSuccessfully);
            time.Advance(TimerWheel.Tick);
        }));
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(15));
        Assert.Null(peer.Connection.CloseInfo);
        done.SetResult();
    }

    [Fact]
    public async Task BufferThatIsTooSmall_LeavesTheMessageReadable()
    {
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            for (int attempt = 0; attempt < 2; attempt++)
            {
                var error = await Assert.ThrowsAsync<MessageTooBigException>(async () => await connection.ReadMessageIntoAsync(new byte[3]));
                Assert.Equal((5, 3), (error.MessageBytes, error.BufferBytes));
            }

            byte[] buffer = new byte[5];
            await connection.ReadMessageIntoAsync(buffer);
            connection.WriteMessage(buffer, MessageType.Text);
        });
        await peer.SendAsync("hello");
        Assert.Equal("hello", await peer.ReadTextAsync());
    }

    [Fact]
    public async Task CancelledRead_LeavesTheConnectionAndThePartialMessageIntact()
    {
        using var cancel = new CancellationTokenSource();
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            var read = connection.ReadMessageAsync(cancel.Token).AsTask();
            reading.SetResult();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await connection.ReadMessageAsync(cancel.Token));
            connection.WriteMessage("cancelled"u8, MessageType.Text);
            var message = await connection.ReadMessageAsync();
            connection.WriteMessage(message.Payload.Span, message.Type);
        });
        await peer.SendAsync(Opcode.Text, "first half, "u8, isFinal: false);
        await reading.Task;
        await cancel.CancelAsync();
        Assert.Equal("cancelled", await peer.ReadTextAsync());
        await peer.SendAsync(Opcode.Continuation, "second half"u8);
        Assert.Equal("first half, second half", await peer.ReadTextAsync());
    }

    [Fact]
    public async Task SecondReadAtATime_Throws()
    {
        var tried = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            var first = connection.ReadMessageAsync();
            await Assert.ThrowsAsync<InvalidOperationException>(() => connection.ReadMessageAsync().AsTask());
            tried.SetResult();
            var message = await first;
            connection.WriteMessage(message.Payload.Span, message.Type);
        });
        await tried.Task;
        await peer.SendAsync("x");
        Assert.Equal("x", await peer.ReadTextAsync());
    }

    [Fact]
    public async Task AbnormalEnd_IsReportedAfterTheMessagesBeforeIt()
    {
        var outcome = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            await go.Task;
            var message = await connection.ReadMessageAsync();
            try
            {
                await connection.ReadMessageAsync();
            }
            catch (ConnectionClosedException e)
            {
                outcome.SetResult($"{message.GetText()} {(int)e.CloseInfo.Code}");
                throw;
            }
        });
        await peer.SendAsync("last words");
        await peer.OwnerIsIdleAsync();
        peer.Stream.CompleteWriting();
        await peer.Connection.Completion;
        go.SetResult();
        Assert.Equal("last words 1006", await outcome.Task);
    }

    [Fact]
    public async Task ReaderThatIsSlow_StopsTheReceivingAndNotTheOwner()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long received = 0;
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            await go.Task;
            while (await connection.ReadMessageAsync() is { Type: not MessageType.Close } message)
            {
                received += message.Payload.Length;
            }
        });
        await using var other = peer.Join(new EchoHandler());
        byte[] block = new byte[16 * 1024];
        var sending = Task.Run(async () =>
        {
            for (int i = 0; i < 1000; i++)
            {
                await peer.SendAsync(Opcode.Binary, block);
            }

            await peer.SendAsync(Opcode.Close, [0x03, 0xE8]);
        });

        for (int i = 0; i < 1000; i++)
        {
            await other.SendAsync("x");
            Assert.Equal("x", await other.ReadTextAsync());
        }

        Assert.False(sending.IsCompleted, "16 MiB went into a connection that nobody reads");
        go.SetResult();
        await sending;
        await peer.Connection.Completion;
        Assert.Equal(1000L * block.Length, received);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(20_000)]
    public async Task WhileNobodyReads_LittleIsHeld(int length)
    {
        var done = new TaskCompletionSource();
        await using var peer = Peer.Connect((_, _) => done.Task);
        using var writer = new FrameWriter(() => 7);
        while (writer.Written.Length < 1_000_000)
        {
            writer.WriteFrame(Opcode.Binary, new byte[length]);
        }

        await peer.SendBytesAsync(writer.Written.ToArray());
        await peer.OwnerIsIdleAsync();
        await peer.OwnerIsIdleAsync();
        var statistics = peer.Server.GetStatistics();
        Assert.InRange(statistics.BytesReceived, 1, 80 * 1024);
        Assert.InRange(statistics.MessagesReceived * 64, 1, 80 * 1024);
        done.SetResult();
    }

    [Fact]
    public async Task FunctionThatReturns_ClosesWith1000AndOneThatThrowsWith1011()
    {
        await using var done = Peer.Connect((_, _) => Task.CompletedTask);
        Assert.Equal((CloseCode.NormalClosure, ""), await done.ReadCloseAsync());
        await using var failed = Peer.Connect((_, _) => throw new InvalidOperationException("boom"));
        Assert.Equal((CloseCode.InternalError, ""), await failed.ReadCloseAsync());
    }

    [Fact]
    public async Task ReadsWhereAHandlerGetsTheMessages_AreRefused()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => peer.Connection.ReadMessageAsync().AsTask());
        Assert.Contains("handler", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SynchronousReadInto_AllocatesNothing()
    {
        const int Count = 200;
        var allocated = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = Peer.Connect(async (connection, _) =>
        {
            await go.Task;
            byte[] buffer = new byte[64];
            await connection.ReadMessageIntoAsync(buffer);
            allocated.SetResult(Measure(connection, buffer));
        });
        byte[] payload = Encoding.UTF8.GetBytes("0123456789");
        for (int i = 0; i <= Count; i++)
        {
            await peer.SendAsync(Opcode.Text, payload);
        }

        // Once the ping is answered, every message before it is waiting.
        await peer.SendAsync(Opcode.Ping, []);
        Assert.Equal(Opcode.Pong, (await peer.ReadFrameAsync())!.Value.Header.Opcode);
        go.SetResult();
        Assert.Equal(0, await allocated.Task);

        static long Measure(WebSocketConnection connection, byte[] buffer)
        {
            long best = long.MaxValue;
            for (int round = 0; round < 4; round++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < Count / 4; i++)
                {
                    var read = connection.ReadMessageIntoAsync(buffer);
                    Assert.True(read.IsCompleted);
                    _ = read.GetAwaiter().GetResult();
                }

                best = Math.Min(best, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            return best;
        }
    }

    private sealed class Work(Action action) : IOwnerWork
    {
        public void Run(object? state, long argument) => action();
    }
}
