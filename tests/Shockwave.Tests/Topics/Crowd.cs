using System.Runtime.InteropServices;
using System.Text;
using Shockwave.Engine;
using Shockwave.Testing;

namespace Shockwave.Tests;

/// <summary>So many connections on one epoll loop and a kernel of numbers, each subscribed to the same topic. The test's thread is the loop's.</summary>
internal sealed class Crowd : IDisposable
{
    private const string Topic = "all";

    private static readonly byte[] _message = Encoding.UTF8.GetBytes("twenty bytes for all");

    private readonly CrowdKernel _kernel;
    private readonly EpollLoop _loop;
    private readonly ShockwaveServer _server;
    private readonly int _count;
    private readonly int _firstSocket;
    private long _broadcasts;

    public Crowd(int count)
    {
        _count = count;
        _kernel = new CrowdKernel(count + 16);
        long before = CountLiveBytes();
        _loop = new EpollLoop(_kernel, new ManualTimeProvider());
        _loop.Enter();
        _server = new ShockwaveServer([], new ConnectionSettings(new TestOptions(), _loop.Time), ConnectionEvents.None, [_loop]);
        _firstSocket = _kernel.Connect();
        Open();

        // What the loop has of native memory is the same for any number of connections, and less than this.
        LiveBytes = CountLiveBytes() - before + (1 << 20);
    }

    /// <summary>Gets how much memory the connections take, with all that serves them.</summary>
    public long LiveBytes { get; }

    /// <summary>Publishes messages one after the other, and delivers each to everybody.</summary>
    /// <returns>What that took of the processor's time, in nanoseconds for each message and connection.</returns>
    public double Broadcast(int times)
    {
        var start = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < times; i++)
        {
            _server.Publish(Topic, _message, MessageType.Binary);
            _loop.RunTurn(mayBlock: false);
        }

        _broadcasts += times;
        return (Environment.CpuUsage.TotalTime - start).TotalNanoseconds / times / _count;
    }

    public void AssertAllHeardEverything()
    {
        int frameBytes = 2 + _message.Length;
        Assert.Equal(_broadcasts * _count * frameBytes, _kernel.SentBytes);
        Assert.Equal(_broadcasts * _count, _server.GetStatistics().MessagesSent);
        for (int i = 1; i <= _count; i++)
        {
            Assert.Equal((byte)_broadcasts, _kernel.SendCount(_firstSocket + i));
        }
    }

    /// <summary>Ends the loop with all of them still there.</summary>
    /// <returns>What that took of the processor's time.</returns>
    public TimeSpan End()
    {
        var start = Environment.CpuUsage.TotalTime;
        _loop.End();
        var time = Environment.CpuUsage.TotalTime - start;
        Assert.Equal(0, _loop.ConnectionCount);
        Assert.Equal(0, _server.ConnectionCount);
        Assert.InRange(_kernel.CloseCount, _count, _count + 2);
        return time;
    }

    public void Dispose() => _kernel.Dispose();

    // Subscribed in no order, as after hours of coming and going: in the order in which they were opened, the objects of one lie behind
    // those of the other, and the processor sees what comes next.
    private void Open()
    {
        var connections = new List<WebSocketConnection>(_count);
        var dispatcher = new Listener(connections).CreateDispatcher();
        for (int i = 0; i < _count; i++)
        {
            var transport = _loop.Open(_kernel.Connect());
            _server.Expect();
            _server.Adopt(_server.PlaceOnLoop(_loop), transport, dispatcher, UpgradeDetails.None);
        }

        new Random(1).Shuffle(CollectionsMarshal.AsSpan(connections));
        foreach (var connection in connections)
        {
            connection.Subscribe(Topic);
        }

        _loop.RunTurn(mayBlock: false);
        connections.Clear();
        connections.Capacity = 0;
    }

    private static long CountLiveBytes()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: false);
    }

    private sealed class Listener(List<WebSocketConnection> opened) : WebSocketHandler
    {
        public override void OnOpen(WebSocketConnection connection) => opened.Add(connection);

        public override void OnMessage(WebSocketConnection connection, in Message message) => Assert.Fail("Nobody says anything.");
    }
}
