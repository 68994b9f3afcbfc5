using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class ShardTests
{
    private readonly SameThreadOwner _owner = new(new ManualTimeProvider());
    private readonly Shard _shard;
    private readonly ConnectionSettings _settings;

    public ShardTests()
    {
        _shard = new Shard(_owner, ConnectionEvents.None);
        _shard.Hub = new TopicHub([_shard]);
        _settings = new ConnectionSettings(new TestOptions(), _owner.Time);
    }

    // The connection itself and its places in lists, of which one that just grew has twice as many as it needs; the transport is apart.
    [Theory]
    [InlineData(0, 230)]
    [InlineData(1, 310)]
    public void IdleConnection_TakesLittleMemory(int subscriptions, long mostBytes)
    {
        var handler = new ScriptedHandler
        {
            Opened = connection =>
            {
                for (int i = 0; i < subscriptions; i++)
                {
                    connection.Subscribe("lobby");
                }
            },
        };
        var dispatcher = handler.CreateDispatcher();
        Open(new MemoryTransport(_owner), dispatcher);
        MemoryTransport[] transports = [.. Enumerable.Range(0, 10_000).Select(_ => new MemoryTransport(_owner))];
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var transport in transports)
        {
            Open(transport, dispatcher);
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / transports.Length, 100, mostBytes);
        Assert.Equal(transports.Length + 1, _shard.ConnectionCount);
    }

    [Fact]
    public void ConnectionThatEchoedAMessage_KeepsNoneOfWhatThatTook()
    {
        var dispatcher = new EchoHandler().CreateDispatcher();
        MemoryTransport[] transports = [.. Enumerable.Range(0, 1000).Select(_ => new MemoryTransport(_owner))];
        byte[] frame = MaskedFrame("hello");
        byte[] received = new byte[frame.Length];
        foreach (var transport in transports)
        {
            Open(transport, dispatcher);
        }

        EchoOn(transports[0]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var transport in transports.AsSpan(1))
        {
            EchoOn(transport);
        }

        // Of these transports only: each makes a queue for its first message.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / transports.Length, 0, 160);
        Assert.All(transports, transport => Assert.Equal(frame.Length - 4, transport.SentBytes));

        void EchoOn(MemoryTransport transport)
        {
            frame.CopyTo(received, 0);
            transport.Receive(received);
            _owner.RunAll();
        }
    }

    [Fact]
    public void MessagesThatArriveByteByByteOnManyConnections_AreNotMixed()
    {
        const int Count = 2000;
        var handlers = new ScriptedHandler[Count];
        var transports = new MemoryTransport[Count];
        for (int i = 0; i < Count; i++)
        {
            handlers[i] = new ScriptedHandler();
            transports[i] = new MemoryTransport(_owner);
            Open(transports[i], handlers[i].CreateDispatcher());
        }

        // Each is at another place of its message, so readers change hands between any two bytes.
        byte[][] streams = [.. Enumerable.Range(0, Count).Select(i => MaskedFrame($"1 for {i:0000}").Concat(MaskedFrame($"2 for {i:0000}")).ToArray())];
        int length = streams[0].Length;
        for (int step = 0; step < 2 * length; step++)
        {
            for (int i = 0; i < Count; i++)
            {
                int position = step - (i % length);
                if (position >= 0 && position < length)
                {
                    Assert.Equal(1, transports[i].Receive(streams[i].AsSpan(position, 1)));
                }
            }
        }

        for (int i = 0; i < Count; i++)
        {
            Assert.Equal([$"1 for {i:0000}", $"2 for {i:0000}"], handlers[i].Messages);
        }
    }

    [Fact]
    public void CloseAllAndAbortAll_ReachEveryConnection()
    {
        var handlers = Enumerable.Range(0, 100).Select(_ => new ScriptedHandler()).ToArray();
        WebSocketConnection[] connections = [.. handlers.Select(handler => Open(new MemoryTransport(_owner), handler.CreateDispatcher()))];
        connections[0].Abort();
        connections[50].Abort();
        connections[99].Abort();
        _owner.RunAll();
        Assert.Equal(97, _shard.ConnectionCount);
        _shard.CloseAll(CloseCode.ServiceRestart, "");
        Assert.All(connections, connection => Assert.False(connection.IsOpen));
        _shard.AbortAll();
        _owner.RunAll();
        Assert.Equal(0, _shard.ConnectionCount);
        Assert.All(handlers, handler => Assert.True(handler.Closed.IsCompletedSuccessfully));
        Assert.All(connections, connection => Assert.True(connection.Completion.IsCompletedSuccessfully));
        Assert.All(connections, connection => Assert.True(connection.Closed.IsCancellationRequested));
    }

    private static byte[] MaskedFrame(string text)
    {
        using var writer = new FrameWriter(() => 0x01020304);
        writer.WriteFrame(Opcode.Text, Encoding.UTF8.GetBytes(text));
        return writer.Written.ToArray();
    }

    private WebSocketConnection Open(MemoryTransport transport, MessageDispatcher dispatcher)
    {
        var connection = new WebSocketConnection(_shard, transport, EndpointRole.Server, _settings, dispatcher, UpgradeDetails.None);
        connection.Start();
        _owner.RunAll();
        return connection;
    }
}
