using System.Text;
using Shockwave.Engine;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class TopicHubTests
{
    [Fact]
    public async Task Publication_ReachesEverySubscriberOnce()
    {
        var handler = new ScriptedHandler
        {
            Opened = connection =>
            {
                connection.Subscribe("lobby");
                connection.Subscribe("lobby");
            },
            Received = (connection, text) => connection.Publish("lobby", Encoding.UTF8.GetBytes(text), MessageType.Text),
        };
        await using var first = Peer.Connect(handler);
        await using var second = first.Join(handler);
        await using var stranger = first.Join(new EchoHandler());
        await second.OwnerIsIdleAsync();
        await first.SendAsync("hello");
        Assert.Equal("hello", await first.ReadTextAsync());
        Assert.Equal("hello", await second.ReadTextAsync());
        second.Connection.Unsubscribe("lobby");
        await second.OwnerIsIdleAsync();
        Assert.Equal(PublishResult.Accepted, first.Server.Publish("lobby", "again"u8, MessageType.Text));
        Assert.Equal("again", await first.ReadTextAsync());
        second.Connection.WriteMessage("end"u8, MessageType.Text);
        Assert.Equal("end", await second.ReadTextAsync());
        await stranger.SendAsync("mine");
        Assert.Equal("mine", await stranger.ReadTextAsync());
    }

    [Fact]
    public async Task PublicationsOfOneThread_KeepTheirOrderOverAllOwners()
    {
        var strands = new StrandGroup(TimeProvider.System, 3);
        var server = new ShockwaveServer(strands.Strands, new ConnectionSettings(new TestOptions(), TimeProvider.System), ConnectionEvents.None);
        var received = new List<Task<List<int>>>();
        var opened = new CountdownEvent(9);
        var handler = new ScriptedHandler
        {
            Opened = connection =>
            {
                connection.Subscribe("ticks");
                opened.Signal();
            },
        };
        for (int i = 0; i < 9; i++)
        {
            var (ours, theirs) = DuplexStream.CreatePair();
            var shard = server.NextShard();
            server.Accept(shard, new StreamTransport(shard.Owner, ours), handler.CreateDispatcher(), UpgradeDetails.None);
            received.Add(Task.Run(() => ReadTicksAsync(theirs)));
        }

        opened.Wait(TestContext.Current.CancellationToken);
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal(PublishResult.Accepted, server.Publish("ticks", BitConverter.GetBytes(i), MessageType.Binary));
        }

        foreach (var ticks in await Task.WhenAll(received))
        {
            Assert.Equal(Enumerable.Range(0, 1000), ticks);
        }

        Assert.Equal(9000, server.GetStatistics().MessagesSent);
    }

    [Theory]
    [InlineData("")]
    [InlineData("long")]
    public async Task IllegalTopicNames_AreRefused(string name)
    {
        await using var peer = Peer.Connect(new EchoHandler());
        string topic = name.Length == 0 ? "" : new string('é', 128);
        Assert.Throws<ArgumentException>(() => peer.Connection.Subscribe(topic));
        Assert.Throws<ArgumentException>(() => peer.Server.Publish(topic, "x"u8, MessageType.Text));
        Assert.Throws<ArgumentOutOfRangeException>(() => peer.Server.Publish("topic", "x"u8, MessageType.Close));
    }

    [Fact]
    public async Task SubscriberThatLeaves_IsForgotten()
    {
        var handler = new ScriptedHandler { Opened = connection => connection.Subscribe("lobby") };
        await using var stays = Peer.Connect(handler);
        for (int i = 0; i < 100; i++)
        {
            var leaves = stays.Join(new ScriptedHandler { Opened = connection => connection.Subscribe("lobby") });
            await leaves.DisposeAsync();
        }

        stays.Server.Publish("lobby", "x"u8, MessageType.Text);
        Assert.Equal("x", await stays.ReadTextAsync());
        Assert.Equal(1, stays.Server.GetStatistics().MessagesSent);
        Assert.Equal(1, stays.Server.ConnectionCount);
        Assert.Equal(101, stays.Server.GetStatistics().ConnectionsTotal);
    }

    private static async Task<List<int>> ReadTicksAsync(DuplexStream stream)
    {
        var ticks = new List<int>();
        byte[] frame = new byte[6];
        while (ticks.Count < 1000)
        {
            await stream.ReadExactlyAsync(frame);
            ticks.Add(BitConverter.ToInt32(frame, 2));
        }

        return ticks;
    }
}
