using Shockwave.Engine;
using Shockwave.Testing;

namespace Shockwave.Tests;

// A handler that takes a minute, while its peer sends without waiting for it.
public sealed class AsyncDispatcherTests
{
    private const int MessageBytes = 20_000;
    private const int MessageCount = 10 * 1024 * 1024 / MessageBytes;

    // What one turn receives, and the header of the message that is cut by its end.
    private const int MaxHeldBytes = (64 * 1024) + 64;

    [Theory]
    [InlineData(nameof(LoopKind.Epoll))]
    [InlineData(nameof(LoopKind.IoUring))]
    public void PipelinedMessages_StayInTheSocketWhileTheHandlerIsBusy(string kind)
    {
        var time = new ManualTimeProvider();
        var kernel = new FakeKernel();
        bool isEpoll = kind == nameof(LoopKind.Epoll);
        EventLoop loop = isEpoll ? new EpollLoop(kernel, time) : new UringLoop(kernel, time);
        loop.Enter();
        var server = new ShockwaveServer([], new ConnectionSettings(new TestOptions { HandlerTimeout = TimeSpan.FromMinutes(2) }, time), ConnectionEvents.None, [loop]);
        var handler = new GatedHandler();
        var slow = Connect(handler);
        var other = Connect(new EchoHandler());
        byte[] payload = new byte[MessageBytes];
        for (int i = 0; i < MessageCount; i++)
        {
            BitConverter.TryWriteBytes(payload, i);
            slow.Send(RawFrame.Masked(0x82, payload));
        }

        Run();
        Assert.Equal([0], handler.Received);

        // Four ticks a second; the other peer answers its pings, this one does not even get to it.
        for (int second = 0; second < 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            other.Send(RawFrame.Masked(0x82, "x"u8.ToArray()));
            other.Send(RawFrame.Masked(0x8A, []));
            Run();
            AnswerPings(other);
            long held = slow.SentByUs - slow.Inner.UnreceivedBytes - MessageBytes;
            Assert.InRange(held, 0, MaxHeldBytes);
        }

        Assert.Equal(2, server.ConnectionCount);
        Assert.False(slow.WasReset || slow.IsEnded);
        handler.Gate.SetResult();
        for (int i = 0; i < MessageCount && handler.Received.Count < MessageCount; i++)
        {
            Run();
        }

        Assert.Equal(Enumerable.Range(0, MessageCount), handler.Received);
        Assert.Equal(2, server.ConnectionCount);
        loop.End();
        kernel.AssertClean();

        FakePeer Connect(MessageHandler handler)
        {
            var peer = kernel.Connect(isNonBlocking: isEpoll);
            server.Expect();
            server.Adopt(server.PlaceOnLoop(loop), loop.Open(peer.Socket), handler.CreateDispatcher(), UpgradeDetails.None);
            Run();
            return peer;
        }

        void Run()
        {
            for (int i = 0; i < 8; i++)
            {
                loop.RunTurn(mayBlock: false);
            }
        }
    }

    // Whatever came: an echo, a ping, or both. A ping's payload is the 8 bytes behind its header.
    private static void AnswerPings(FakePeer peer)
    {
        byte[] bytes = peer.TakeAll();
        Assert.NotEmpty(bytes);
        for (int i = 0; i < bytes.Length; i += 2 + bytes[i + 1])
        {
            if (bytes[i] == 0x89)
            {
                peer.Send(RawFrame.Masked(0x8A, bytes.AsSpan(i + 2, bytes[i + 1])));
            }
        }
    }

    private sealed class GatedHandler : AsyncWebSocketHandler
    {
        public TaskCompletionSource Gate { get; } = new();

        public List<int> Received { get; } = [];

        public override async ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed)
        {
            Received.Add(BitConverter.ToInt32(message.Payload.Span));
            if (Received.Count == 1)
            {
                await Gate.Task;
            }
        }
    }
}
