using System.Text;
using Shockwave.Engine;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed partial class TopicTableTests
{
    // Peers that take little or nothing for a while, messages of their own between the publications, and numbers that go to the next
    // connection when one ends.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SubscribersOnALoop_GetTheirOwnOnceAndInOrder(bool isEpoll)
    {
        const int Topics = 4, MaxSubscribers = 25, Steps = 20_000;
        var random = new Random(TestSeed.Choose(TestContext.Current.TestOutputHelper!.WriteLine));
        var kernel = new FakeKernel();
        var pool = new TrackingArrayPool();
        EventLoop loop = isEpoll ? new EpollLoop(kernel, _owner.Time, buffers: pool) : new UringLoop(kernel, _owner.Time, buffers: pool);
        loop.Enter();
        var server = new ShockwaveServer([], new ConnectionSettings(new TestOptions { MaxBufferedBytes = 1 << 24 }, loop.Time), ConnectionEvents.None, [loop]);
        var dispatcher = new SilentHandler().CreateDispatcher();
        var all = new List<LoopSubscriber>();
        var alive = new List<LoopSubscriber>();
        for (int step = 0; step < Steps; step++)
        {
            if (alive.Count == 0)
            {
                Open();
            }

            var subscriber = alive[random.Next(alive.Count)];
            string topic = $"topic{random.Next(Topics)}";
            string padding = new('x', random.Next(4) == 0 ? random.Next(300) : 0);
            switch (random.Next(100))
            {
                case < 3 when alive.Count < MaxSubscribers:
                    Open();
                    break;
                case < 15:
                    subscriber.Topics.Add(topic);
                    Post(() => subscriber.Connection.Subscribe(topic));
                    break;
                case < 20:
                    subscriber.Topics.Remove(topic);
                    Post(() => subscriber.Connection.Unsubscribe(topic));
                    break;
                case < 45:
                    Publish(topic, $"{topic} {step} {padding}");
                    break;
                case < 60:
                    string own = $"own {step} {padding}";
                    subscriber.Expect("own", own);
                    Post(() => subscriber.Connection.WriteMessage(Encoding.UTF8.GetBytes(own), MessageType.Text));
                    break;
                case < 65:
                    subscriber.Peer.Capacity = random.Next(2) == 0 ? 1 + random.Next(60) : 100_000;
                    break;
                case < 75:
                    subscriber.Take(random.Next(1000));
                    break;
                case < 77:
                    End(subscriber, random.Next(4));
                    break;
                case 77:
                    // More than one turn does: a connection that ends is closed, and its number used again, turns before it leaves its topics.
                    Enumerable.Range(0, 2000).ToList().ForEach(_ => Post(() => { }));
                    break;
                default:
                    loop.RunTurn(mayBlock: false);
                    break;
            }
        }

        // Everybody takes everything.
        alive.ForEach(subscriber => subscriber.Peer.Capacity = 100_000);
        for (int turn = 0; turn < 10 || alive.Exists(subscriber => subscriber.Connection.BufferedBytes > 0); turn++)
        {
            Assert.True(turn < 10_000, "Something is never sent.");
            alive.ForEach(subscriber => subscriber.Take(subscriber.Peer.Available));
            loop.RunTurn(mayBlock: false);
        }

        all.ForEach(subscriber => subscriber.Take(subscriber.Peer.Available));
        all.ForEach(subscriber => subscriber.AssertHeard());
        loop.End();
        kernel.AssertClean();
        pool.AssertBalanced();

        void Open()
        {
            var peer = kernel.Connect(isNonBlocking: isEpoll);
            var transport = loop.Open(peer.Socket);
            server.Expect();
            var connection = server.Adopt(server.PlaceOnLoop(loop), transport, dispatcher, UpgradeDetails.None);
            alive.Add(new LoopSubscriber(peer) { Connection = connection });
            all.Add(alive[^1]);
        }

        void Publish(string topic, string text)
        {
            foreach (var subscriber in alive.Where(subscriber => subscriber.Topics.Contains(topic)))
            {
                subscriber.Expect(topic, text);
            }

            Assert.Equal(PublishResult.Accepted, server.Publish(topic, Encoding.UTF8.GetBytes(text), MessageType.Text));
        }

        void End(LoopSubscriber subscriber, int how)
        {
            subscriber.Take(subscriber.Peer.Available);
            alive.Remove(subscriber);
            subscriber.IsOver = true;
            switch (how)
            {
                case 0:
                    subscriber.Peer.Reset();
                    break;
                case 1:
                    subscriber.Peer.Close();
                    break;
                case 2:
                    subscriber.Connection.Abort();
                    break;
                default:
                    subscriber.Connection.Close();
                    break;
            }
        }

        void Post(Action action) => loop.Post(new Callback(action));
    }

    // Each that waits for the second topic holds a buffer meanwhile: a few may, to save a send, and very many may not.
    [Theory]
    [InlineData(1024, 1)]
    [InlineData(1025, 2)]
    public void TwoTopicsOfOneTurn_LeaveTogetherUnlessVeryManyWouldWait(int subscribers, byte sends)
    {
        using var kernel = new CrowdKernel(subscribers + 16);
        var loop = new EpollLoop(kernel, _owner.Time);
        loop.Enter();
        var server = new ShockwaveServer([], new ConnectionSettings(new TestOptions(), loop.Time), ConnectionEvents.None, [loop]);
        var dispatcher = new SilentHandler().CreateDispatcher();
        int[] sockets = [.. Enumerable.Range(0, subscribers).Select(_ => kernel.Connect())];
        foreach (int socket in sockets)
        {
            server.Expect();
            var connection = server.Adopt(server.PlaceOnLoop(loop), loop.Open(socket), dispatcher, UpgradeDetails.None);
            connection.Subscribe("first");
            connection.Subscribe("second");
        }

        server.Publish("first", "1"u8, MessageType.Text);
        server.Publish("second", "2"u8, MessageType.Text);
        loop.RunTurn(mayBlock: false);
        Assert.All(sockets, socket => Assert.Equal(sends, kernel.SendCount(socket)));
        Assert.Equal(2 * 3 * subscribers, kernel.SentBytes);
        Assert.Equal(2 * subscribers, server.GetStatistics().MessagesSent);
        loop.End();
    }

    private sealed class SilentHandler : WebSocketHandler
    {
        public override void OnMessage(WebSocketConnection connection, in Message message) => Assert.Fail("Nobody says anything.");
    }

    private sealed class Callback(Action action) : IOwnerWork
    {
        public void Run(object? state, long argument) => action();
    }
}
