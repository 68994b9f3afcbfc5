using System.Net;
using System.Net.Sockets;

namespace Shockwave.Engine.Tests;

/// <summary>The loops on the real kernel. Alone: it counts the process's descriptors.</summary>
[Collection(nameof(LoopGroupTests))]
[CollectionDefinition(nameof(LoopGroupTests), DisableParallelization = true)]
public sealed class LoopGroupTests
{
    private static readonly IPEndPoint _anyPort = new(IPAddress.Loopback, 0);

    /// <summary>Gets the kinds that this kernel allows.</summary>
    public static TheoryData<string> Kinds => HasRings() ? [nameof(LoopKind.Epoll), nameof(LoopKind.IoUring)] : [nameof(LoopKind.Epoll)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Connections_GetBackWhatTheySend(string kind)
    {
        await using var group = Start(kind);
        var listener = group.Listen(_anyPort, 512, transport => EchoConnection.Start(transport));
        var clients = new List<Socket>();
        byte[] message = new byte[1000], reply = new byte[1000];
        for (int i = 0; i < 1000; i++)
        {
            clients.Add(Connect(listener));
        }

        for (int round = 0; round < 3; round++)
        {
            foreach (var client in clients)
            {
                Random.Shared.NextBytes(message);
                client.Send(message);
                ReceiveAll(client, reply);
                Assert.Equal(message, reply);
            }
        }

        Assert.Equal(1000, group.Loops.Sum(loop => loop.ConnectionCount));
        Assert.All(group.Loops, loop => Assert.NotEqual(0, loop.ConnectionCount));
        clients.ForEach(client => client.Dispose());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task ConnectionsThatEndAndReset_LeaveNoDescriptor(string kind)
    {
        const int Batch = 200;
        await using var group = Start(kind);
        var closed = new CountdownEvent(Batch);
        var listener = group.Listen(_anyPort, 512, transport => EchoConnection.Start(transport, () => closed.Signal()));
        int baseline = 0;
        for (int batch = 0; batch <= 50; batch++)
        {
            closed.Reset(Batch);
            for (int i = 0; i < Batch; i++)
            {
                using var client = Connect(listener);
                client.Send(new byte[100]);
                client.Shutdown(SocketShutdown.Send);
                client.LingerState = new LingerOption(true, 0);
            }

            Assert.True(closed.Wait(TimeSpan.FromSeconds(30)));
            baseline = batch == 0 ? CountDescriptors(group) : baseline;
        }

        Assert.Equal(baseline, CountDescriptors(group));
        Assert.Equal(0, group.Loops.Sum(loop => loop.ConnectionCount));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task PeerThatDoesNotRead_HoldsUpNobodyElse(string kind)
    {
        const int Total = 20_000_000;
        await using var group = Start(kind);
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        SocketTransport? stalled = null;
        var listener = group.Listen(_anyPort, 512, transport =>
        {
            var connection = EchoConnection.Start(transport);
            if (stalled is null)
            {
                stalled = transport;
                connection.Drained = drained;
                for (int i = 0; i < Total / 10_000; i++)
                {
                    transport.GetSpan(10_000)[..10_000].Fill((byte)i);
                    transport.Commit(10_000);
                }
            }
        });
        using var silent = Connect(listener);
        while (Volatile.Read(ref stalled) is not { UnsentBytes: > 0 and < Total })
        {
            Thread.Yield();
        }

        byte[] bytes = new byte[10_000];
        for (int i = 0; i < 20; i++)
        {
            using var other = Connect(listener);
            other.Send(bytes);
            ReceiveAll(other, bytes);
        }

        Assert.False(drained.Task.IsCompleted);
        for (int i = 0; i < Total / 10_000; i++)
        {
            ReceiveAll(silent, bytes);
            Assert.False(bytes.AsSpan().ContainsAnyExcept((byte)i));
        }

        await drained.Task;
        Assert.Equal(0, stalled!.UnsentBytes);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task ProperCloseOverUnreadBytes_DoesNotReset(string kind)
    {
        await using var group = Start(kind);
        var accepted = new TaskCompletionSource<SocketTransport>(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = group.Listen(_anyPort, 512, transport =>
        {
            transport.Attach(new EchoConnection(transport, () => { }) { ClosesAfterFirst = true });
            accepted.SetResult(transport);
        });
        using var client = Connect(listener);
        client.SendBufferSize = 300_000;
        Assert.Equal(150_000, client.Send(new byte[150_000]));
        var server = await accepted.Task;
        server.Owner.Post(new FakeLoop.Callback(server.Start));
        byte[] reply = new byte[100_000];
        int received = 0;
        while (client.Receive(reply) is var count and > 0)
        {
            received += count;
        }

        Assert.InRange(received, 1, 66_000);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task PortInUse_IsAnError(string kind)
    {
        await using var group = Start(kind);
        await using var second = Start(kind);
        var listener = group.Listen(_anyPort, 512, transport => EchoConnection.Start(transport));
        var error = Assert.Throws<SocketException>(() => second.Listen(listener.EndPoint, 512, transport => EchoConnection.Start(transport)));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        await listener.StopAsync();
        var next = second.Listen(listener.EndPoint, 512, transport => EchoConnection.Start(transport));
        using var client = Connect(next);
        client.Send([1]);
        ReceiveAll(client, new byte[1]);
        Assert.Equal(1, second.Loops.Sum(loop => loop.ConnectionCount));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Dispose_AbortsWhatIsLeft(string kind)
    {
        int before = CountDescriptors();
        var group = Start(kind);
        var closed = new CountdownEvent(50);
        var listener = group.Listen(_anyPort, 512, transport => EchoConnection.Start(transport, () => closed.Signal()));
        Socket[] clients = [.. Enumerable.Range(0, 50).Select(_ => Connect(listener))];
        foreach (var client in clients)
        {
            client.Send([1]);
            ReceiveAll(client, new byte[1]);
        }

        await group.DisposeAsync();
        Assert.True(closed.IsSet);
        Assert.All(clients, client => Assert.Throws<SocketException>(() => client.Receive(new byte[1])));
        Array.ForEach(clients, client => client.Dispose());
        Assert.Equal(before, CountDescriptors());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task LoopThatSpins_ServesAndIsWoken(string kind)
    {
        await using var group = LoopGroup.Start(
            new LoopGroupOptions { Kind = Enum.Parse<LoopKind>(kind), LoopCount = 1, BusyPoll = TimeSpan.FromMicroseconds(50) });
        var listener = group.Listen(_anyPort, 512, transport => EchoConnection.Start(transport));
        using var client = Connect(listener);
        for (int i = 0; i < 2000; i++)
        {
            client.Send([1, 2, 3]);
            ReceiveAll(client, new byte[3]);
            if (i % 100 == 0)
            {
                using var ran = new ManualResetEventSlim();
                group.Loops[0].Post(new FakeLoop.Callback(ran.Set));
                Assert.True(ran.Wait(TimeSpan.FromSeconds(30)));
            }
        }
    }

    private static LoopGroup Start(string kind) => LoopGroup.Start(new LoopGroupOptions { Kind = Enum.Parse<LoopKind>(kind), LoopCount = 2 });

    private static bool HasRings()
    {
        try
        {
            UringLoop.Probe(SystemCalls.Linux);
            return true;
        }
        catch (EngineException)
        {
            return false;
        }
    }

    private static Socket Connect(Listener listener)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
        client.Connect(listener.EndPoint);
        return client;
    }

    private static void ReceiveAll(Socket client, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            int count = client.Receive(target);
            Assert.NotEqual(0, count);
            target = target[count..];
        }
    }

    // What was closed in a turn is closed by the time the next one has run.
    private static int CountDescriptors(LoopGroup group)
    {
        foreach (var loop in group.Loops)
        {
            for (int i = 0; i < 2; i++)
            {
                using var ran = new ManualResetEventSlim();
                loop.Post(new FakeLoop.Callback(ran.Set));
                ran.Wait();
            }
        }

        return CountDescriptors();
    }

    // Those of a kind that the loops open: the runtime has files and pipes of its own, that come and go.
    private static int CountDescriptors() => Directory.GetFiles("/proc/self/fd")
        .Select(path => new FileInfo(path).LinkTarget)
        .Count(target => target is not null && (target.StartsWith("socket:", StringComparison.Ordinal) || target.Contains("io_uring", StringComparison.Ordinal)));
}
