using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class AsyncWebSocketHandlerTests
{
    [Fact]
    public async Task WhileATaskIsIncomplete_NoFurtherMessageIsDelivered()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new Scripted(async (connection, message) =>
        {
            started.TrySetResult();
            await gate.Task;
            connection.WriteMessage(message.Payload.Span, message.Type);
        });
        await using var slow = Peer.Connect(handler);
        await using var other = slow.Join(new EchoHandler());
        for (int i = 0; i < 100; i++)
        {
            await slow.SendAsync($"{i}");
        }

        await other.SendAsync("others go on");
        Assert.Equal("others go on", await other.ReadTextAsync());
        await started.Task;
        await slow.OwnerIsIdleAsync();
        Assert.Equal(1, handler.Started);
        gate.SetResult();
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal($"{i}", await slow.ReadTextAsync());
        }
    }

    [Fact]
    public async Task HandlerThatCompletesAtOnce_StaysOnTheOwner()
    {
        var handler = new Scripted((connection, message) =>
        {
            connection.WriteMessage(Encoding.UTF8.GetBytes($"{connection.Owner.IsCurrent}"), message.Type);
            return default;
        });
        await using var peer = Peer.Connect(handler);
        for (int i = 0; i < 10; i++)
        {
            await peer.SendAsync("x");
            Assert.Equal("True", await peer.ReadTextAsync());
        }
    }

    [Fact]
    public async Task AfterAnIncompleteAwait_CodeRunsOnTheThreadPoolAndNotOnTheOwner()
    {
        var handler = new Scripted(async (connection, message) =>
        {
            await Task.Yield();
            connection.WriteMessage(Encoding.UTF8.GetBytes($"{connection.Owner.IsCurrent} {Thread.CurrentThread.IsThreadPoolThread}"), message.Type);
        });
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("x");
        Assert.Equal("False True", await peer.ReadTextAsync());
    }

    [Fact]
    public async Task Lease_EndsWithTheTaskUnlessDetached()
    {
        LeasedMessage? lent = null, kept = null;
        var handler = new Scripted(async (connection, message) =>
        {
            await Task.Yield();
            if (message.GetText() == "keep")
            {
                kept = message.Detach();
            }

            lent ??= message;
            connection.WriteMessage("done"u8, MessageType.Text);
        });
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("lend");
        await peer.ReadTextAsync();
        await peer.SendAsync("keep");
        await peer.ReadTextAsync();
        Assert.Throws<ObjectDisposedException>(() => lent!.Payload);
        Assert.Equal("keep", kept!.GetText());
        kept.Dispose();
        kept.Dispose();
        Assert.Throws<ObjectDisposedException>(() => kept.GetText());
        Assert.Throws<ObjectDisposedException>(() => kept.Detach());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HandlerThatThrows_ClosesWith1011(bool afterAwait)
    {
        var handler = new Scripted(async (_, _) =>
        {
            if (afterAwait)
            {
                await Task.Yield();
            }

            throw new InvalidOperationException("boom");
        });
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("x");
        Assert.Equal((CloseCode.InternalError, ""), await peer.ReadCloseAsync());
        await peer.SendAsync(Opcode.Close, []);
        Assert.IsType<InvalidOperationException>((await handler.Closed).Cause);
    }

    [Fact]
    public async Task OpenTask_HoldsBackTheFirstMessage()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new Scripted((connection, message) =>
        {
            connection.WriteMessage(message.Payload.Span, message.Type);
            return default;
        })
        { Opening = gate.Task };
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("x");
        await peer.OwnerIsIdleAsync();
        Assert.Equal(0, handler.Started);
        gate.SetResult();
        Assert.Equal("x", await peer.ReadTextAsync());
    }

    [Fact]
    public async Task HandlerThatWaitsForItsOwnClose_DoesNotHang()
    {
        var handler = new Scripted(async (connection, _) => await connection.CloseAsync(CloseCode.NormalClosure, "enough"));
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("x");
        Assert.Equal((CloseCode.NormalClosure, "enough"), await peer.ReadCloseAsync());
        await peer.SendAsync(Opcode.Close, [0x03, 0xE8]);
        Assert.True((await handler.Closed).IsClean);
    }

    [Fact]
    public async Task CloseIsReported_OnlyAfterTheMessageTaskHasEnded()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool wasCancelled = false;
        var handler = new Scripted(async (connection, _) =>
        {
            connection.Abort();
            await connection.Completion;
            await gate.Task;
            wasCancelled = connection.Closed.IsCancellationRequested;
        });
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync("x");
        await peer.Connection.Completion;
        await peer.OwnerIsIdleAsync();
        Assert.False(handler.Closed.IsCompleted);
        gate.SetResult();
        Assert.Equal(CloseCode.AbnormalClosure, (await handler.Closed).Code);
        Assert.True(wasCancelled);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HandlerThatTakesTooLong_FailsItsConnectionAndIsReportedOnce(bool isOpening)
    {
        var time = new ManualTimeProvider();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new Scripted((_, _) => new(gate.Task)) { Opening = isOpening ? gate.Task : null };
        await using var peer = Peer.Connect(handler, new TestOptions { HandlerTimeout = TimeSpan.FromSeconds(20) }, time);
        await peer.SendAsync("x");
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(19));
        Assert.True(peer.Connection.IsOpen);
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(2));
        Assert.Equal((CloseCode.InternalError, ""), await peer.ReadCloseAsync());
        Assert.True(peer.Connection.Closed.WaitHandle.WaitOne(TimeSpan.FromSeconds(10)));
        Assert.Null(peer.Connection.CloseInfo);
        await peer.SendAsync(Opcode.Close, [0x03, 0xF3]);
        await peer.Connection.Completion;
        Assert.IsType<TimeoutException>(peer.Connection.CloseInfo!.Value.Cause);
        await peer.OwnerIsIdleAsync();
        Assert.False(handler.Closed.IsCompleted);
        gate.SetException(new InvalidOperationException("late"));
        await handler.Closed;
        Assert.IsType<TimeoutException>(Assert.Single(peer.HandlerErrors));
    }

    [Fact]
    public async Task TimeoutThatIsShorterThanTheWriteTimeout_IsKept()
    {
        var time = new ManualTimeProvider();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = Peer.Connect(
            new Scripted((_, _) => new(gate.Task)), new TestOptions { HandlerTimeout = TimeSpan.FromSeconds(2), WriteTimeout = TimeSpan.FromHours(1) }, time);
        await peer.SendAsync("x");
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(3));
        Assert.Equal((CloseCode.InternalError, ""), await peer.ReadCloseAsync());
        gate.SetResult();
    }

    [Fact]
    public async Task WhileAHandlerIsBusy_PingsGoOutAndThePeerIsNotBlamed()
    {
        var time = new ManualTimeProvider();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handler = new Scripted(async (connection, message) =>
        {
            await gate.Task;
            connection.WriteMessage(message.Payload.Span, message.Type);
        });
        await using var peer = Peer.Connect(handler, new TestOptions { HandlerTimeout = null, IdleTimeout = TimeSpan.FromSeconds(30) }, time);
        await peer.SendAsync("x");
        await peer.OwnerIsIdleAsync();
        for (int i = 0; i < 4; i++)
        {
            await peer.AdvanceAsync(time, TimeSpan.FromSeconds(26));
            var (header, payload) = (await peer.ReadFrameAsync())!.Value;
            Assert.Equal(Opcode.Ping, header.Opcode);
            await peer.SendAsync(Opcode.Pong, payload);
        }

        gate.SetResult();
        Assert.Equal("x", await peer.ReadTextAsync());
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(12));
        Assert.True(peer.Connection.IsOpen);
    }

    private sealed class Scripted(Func<WebSocketConnection, LeasedMessage, ValueTask> onMessage) : AsyncWebSocketHandler
    {
        private readonly TaskCompletionSource<CloseInfo> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _started;

        public int Started => Volatile.Read(ref _started);

        public Task? Opening { get; init; }

        public Task<CloseInfo> Closed => _closed.Task;

        public override ValueTask OnOpenAsync(WebSocketConnection connection, CancellationToken closed) => Opening is null ? default : new(Opening);

        public override ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed)
        {
            Interlocked.Increment(ref _started);
            return onMessage(connection, message);
        }

        public override ValueTask OnCloseAsync(WebSocketConnection connection, CloseInfo info)
        {
            _closed.SetResult(info);
            return default;
        }
    }
}
