using System.Buffers;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

/// <summary>A loop on a fake kernel, driven by the test's thread.</summary>
internal sealed class FakeLoop : IDisposable
{
    private bool _isEnded;

    public FakeLoop(string kind, int firstDescriptor = 3, TimeSpan busyPoll = default)
    {
        Kind = Enum.Parse<LoopKind>(kind);
        Kernel.BeginDescriptorsAt(firstDescriptor);
        Loop = Create(Kind, Kernel, Time, Pool, busyPoll);
        Loop.Enter();
        OwnDescriptors = Kernel.OpenCount;
    }

    /// <summary>Gets the kinds of loops that everything is to be shown with.</summary>
    public static TheoryData<string> Kinds => [nameof(LoopKind.Epoll), nameof(LoopKind.IoUring)];

    public LoopKind Kind { get; }

    public FakeKernel Kernel { get; } = new();

    public ManualTimeProvider Time { get; } = new();

    public TrackingArrayPool Pool { get; } = new();

    public EventLoop Loop { get; }

    /// <summary>Gets how many descriptors the loop has for itself.</summary>
    public int OwnDescriptors { get; }

    public static EventLoop Create(LoopKind kind, SystemCalls kernel, TimeProvider time, ArrayPool<byte>? pool = null, TimeSpan busyPoll = default) =>
        kind == LoopKind.Epoll ? new EpollLoop(kernel, time, busyPoll, pool) : new UringLoop(kernel, time, busyPoll, pool);

    /// <summary>Opens a connection on the loop.</summary>
    public FakeConnection Connect(bool isStarted = true)
    {
        var connection = Open(Kernel.Connect(isNonBlocking: Kind == LoopKind.Epoll));
        if (isStarted)
        {
            connection.Transport.Start();
            Run();
        }

        return connection;
    }

    /// <summary>Opens the program's end of a connection.</summary>
    public FakeConnection Open(FakePeer peer)
    {
        peer.Sends = [];
        return new FakeConnection(Loop.Open(peer.Socket), peer);
    }

    /// <summary>Listens on a port of the fake kernel.</summary>
    public Acceptor Listen(Action<SocketTransport> accepted, Action<int>? exhausted = null, Func<bool>? hasRoom = null, int port = 80)
    {
        int socket = Kernel.OpenSocket(SocketOption.AF_INET, isNonBlocking: true);
        Kernel.Bind(socket, SocketAddresses.Write(new(System.Net.IPAddress.Loopback, port)));
        Kernel.Listen(socket, 512);
        var acceptor = new Acceptor(Loop, socket, accepted, exhausted ?? (_ => { }), hasRoom);
        acceptor.Open();
        return acceptor;
    }

    public void Turn() => Loop.RunTurn(mayBlock: false);

    /// <summary>Runs turns until the loop would block.</summary>
    public void Run()
    {
        int blocked = Kernel.BlockedWaits;
        for (int i = 0; Kernel.BlockedWaits == blocked; i++)
        {
            Assert.True(i < 10_000, "The loop does not come to rest.");
            Loop.RunTurn(mayBlock: true);
        }

        Kernel.AssertNoMisuse();
    }

    public void Post(Action action) => Loop.Post(new Callback(action));

    public void Advance(TimeSpan time)
    {
        Time.Advance(time);
        Run();
    }

    /// <summary>Ends the loop: nothing may be left of it, neither a descriptor nor a buffer.</summary>
    public void End()
    {
        _isEnded = true;
        Loop.End();
        Kernel.AssertClean();
        Pool.AssertBalanced();
        Assert.Equal(0, Loop.ConnectionCount);
    }

    public void Dispose()
    {
        if (!_isEnded)
        {
            End();
        }
    }

    internal sealed class Callback(Action action) : IOwnerWork
    {
        public void Run(object? state, long argument) => action();
    }
}
