using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed partial class TopicTableTests
{
    private readonly SameThreadOwner _owner = new(new ManualTimeProvider());
    private readonly Shard _shard;

    public TopicTableTests() => _shard = new Shard(_owner, ConnectionEvents.None);

    // From none to many topics and back, so that each form of a connection's set is entered and left, against a plain set.
    [Fact]
    public void RandomSubscriptions_AreDeliveredAsASetOfPairsWouldBe()
    {
        const int Connections = 20, Topics = 12;
        var random = new Random(TestSeed.Choose(TestContext.Current.TestOutputHelper!.WriteLine));
        var settings = new ConnectionSettings(new TestOptions(), _owner.Time);
        var transports = Enumerable.Range(0, Connections).Select(_ => new MemoryTransport(_owner)).ToArray();
        var connections = transports
            .Select(transport => new WebSocketConnection(_shard, transport, EndpointRole.Server, settings, new EchoHandler().CreateDispatcher(), UpgradeDetails.None))
            .ToArray();
        var expected = new HashSet<(int Connection, int Topic)>();
        for (int step = 0; step < 20_000; step++)
        {
            var pair = (Connection: random.Next(Connections), Topic: random.Next(Topics));
            var connection = connections[pair.Connection];
            int bias = step / 500 % 3;
            switch (random.Next(100))
            {
                case < 2:
                    _shard.Topics.RemoveAll(connection);
                    expected.RemoveWhere(other => other.Connection == pair.Connection);
                    break;
                case int roll when roll < 25 + (bias * 25):
                    Assert.Equal(expected.Add(pair), _shard.Topics.Add(connection, $"{pair.Topic}"));
                    break;
                default:
                    Assert.Equal(expected.Remove(pair), _shard.Topics.Remove(connection, $"{pair.Topic}"));
                    break;
            }

            if (step % 50 == 0)
            {
                AssertDelivery(pair.Topic);
            }
        }

        void AssertDelivery(int topic)
        {
            long[] before = [.. transports.Select(transport => transport.SentBytes)];
            var publication = new Publication($"{topic}", "x"u8, MessageType.Text, holders: 1);
            _shard.Topics.Publish(publication);
            _owner.RunAll();
            Assert.Equal(
                Enumerable.Range(0, Connections).Select(i => expected.Contains((i, topic)) ? 3L : 0),
                transports.Select((transport, i) => transport.SentBytes - before[i]));
        }
    }
}
