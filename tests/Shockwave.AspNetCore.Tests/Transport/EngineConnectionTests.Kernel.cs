using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Shockwave.Engine;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

// What Kestrel's pipes and the socket do to each other, call by call, on a kernel that does only what the test says.
public sealed partial class EngineConnectionTests
{
    private const int LimitBytes = 32 * 1024;

    public static TheoryData<string> Loops => [nameof(LoopKind.Epoll), nameof(LoopKind.IoUring)];

    [Theory]
    [MemberData(nameof(Loops))]
    public void ResponseThatThePeerDoesNotTake_IsHeldOnceInThePipeAndOnePieceBeyond(string kind)
    {
        using var bench = new Bench(kind);
        bench.Peer.Capacity = 1000;
        byte[] response = MakeBytes(MegaByte);
        var written = bench.Connection.Transport.Output.WriteAsync(response);
        bench.Run();
        Assert.False(written.IsCompleted);
        Assert.InRange(bench.Transport.UnsentBytes, 1, 64 * 1024);
        Assert.Equal(1000, bench.Peer.Available);

        var taken = new List<byte>();
        while (taken.Count < response.Length)
        {
            taken.AddRange(bench.Peer.TakeAll());
            bench.Run();
            Assert.InRange(bench.Transport.UnsentBytes, 0, 64 * 1024);
        }

        Assert.Equal(response, taken);
        Assert.False(Bench.Await(written).IsCompleted);
        bench.Close();
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public void RequestThatNobodyReads_StaysInTheSocketBeyondTheLimit(string kind)
    {
        using var bench = new Bench(kind);
        byte[] request = MakeBytes(MegaByte);
        bench.Peer.Send(request);
        bench.Run();
        var input = bench.Connection.Transport.Input;
        var received = new List<byte>();
        while (received.Count < request.Length)
        {
            Assert.True(input.TryRead(out var result));
            Assert.InRange(result.Buffer.Length, 1, LimitBytes + SocketTransport.MaxReceiveBytes + 64);
            received.AddRange(result.Buffer.ToArray());
            input.AdvanceTo(result.Buffer.End);
            bench.Run();
        }

        Assert.Equal(request, received);
        bench.Close();
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public void EndOfTheOutput_ClosesTheSocketBehindTheLastByte(string kind)
    {
        using var bench = new Bench(kind);
        bench.Peer.Capacity = 100;
        byte[] response = MakeBytes(1000);
        Bench.Await(bench.Connection.Transport.Output.WriteAsync(response));
        var disposed = bench.Connection.DisposeAsync().AsTask();
        var taken = new List<byte>();
        bench.Run();
        while (!bench.Peer.IsEnded)
        {
            Assert.False(disposed.IsCompleted);
            taken.AddRange(bench.Peer.TakeAll());
            bench.Run();
        }

        taken.AddRange(bench.Peer.TakeAll());
        Assert.Equal(response, taken);
        Assert.False(bench.Peer.WasReset);
        Bench.Await(disposed);
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public void Abort_ResetsTheSocketAndTellsBothPipes(string kind)
    {
        using var bench = new Bench(kind);
        bench.Peer.Capacity = 0;
        var written = bench.Connection.Transport.Output.WriteAsync(MakeBytes(MegaByte));
        var read = bench.Connection.Transport.Input.ReadAsync();
        bench.Run();
        var reason = new ConnectionAbortedException("enough");
        bench.Connection.Abort(reason);
        bench.Run();
        Assert.True(bench.Peer.WasReset);
        Assert.True(Bench.Await(written).IsCompleted);
        Assert.Same(reason, Assert.Throws<ConnectionAbortedException>(() => Bench.Await(read)));
        Bench.Await(bench.Connection.DisposeAsync().AsTask());
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public void PeerThatResets_IsAConnectionReset(string kind)
    {
        using var bench = new Bench(kind);
        var read = bench.Connection.Transport.Input.ReadAsync();
        var closed = new TaskCompletionSource();
        bench.Connection.ConnectionClosed.Register(closed.SetResult);
        bench.Peer.Reset();
        bench.Run();
        Assert.Throws<ConnectionResetException>(() => Bench.Await(read));
        Bench.Await(closed.Task);
        var disposed = bench.Connection.DisposeAsync().AsTask();
        bench.Run();
        Bench.Await(disposed);
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public void PeerThatEndsItsSide_IsTheEndOfTheInputAndStillGetsItsResponse(string kind)
    {
        using var bench = new Bench(kind);
        bench.Peer.Send("request"u8);
        bench.Peer.End();
        bench.Run();
        var result = Bench.Await(bench.Connection.Transport.Input.ReadAsync());
        Assert.Equal("request"u8, result.Buffer.ToArray());
        Assert.True(result.IsCompleted);
        bench.Connection.Transport.Input.AdvanceTo(result.Buffer.End);
        Bench.Await(bench.Connection.Transport.Output.WriteAsync("response"u8.ToArray()));
        bench.Close();
        Assert.Equal("response"u8, bench.Peer.TakeAll());
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public void AbortWhileTheInputIsFull_EndsIt(string kind)
    {
        using var bench = new Bench(kind);
        bench.Peer.Send(MakeBytes(MegaByte));
        bench.Run();
        bench.Connection.Abort(new ConnectionAbortedException());
        bench.Run();
        Bench.Await(bench.Connection.DisposeAsync().AsTask());
        Assert.True(bench.Peer.WasReset);
    }

    private static byte[] MakeBytes(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A connection on a loop that the test drives.</summary>
    private sealed class Bench : IDisposable
    {
        private readonly FakeKernel _kernel = new();
        private readonly TrackingArrayPool _pool = new();
        private readonly EventLoop _loop;

        public Bench(string kind)
        {
            bool isEpoll = kind == nameof(LoopKind.Epoll);
            var time = new ManualTimeProvider();
            _loop = isEpoll ? new EpollLoop(_kernel, time, buffers: _pool) : new UringLoop(_kernel, time, buffers: _pool);
            _loop.Enter();
            Peer = _kernel.Connect(isNonBlocking: isEpoll);
            Transport = _loop.Open(Peer.Socket);
            Connection = new EngineConnection(Transport, MemoryPool<byte>.Shared, MakeOptions(PipeScheduler.ThreadPool), MakeOptions(PipeScheduler.Inline));
            Connection.Start();
            Run();
        }

        public FakePeer Peer { get; }

        public SocketTransport Transport { get; }

        public EngineConnection Connection { get; }

        /// <summary>Runs turns until the loop would block.</summary>
        public void Run()
        {
            for (int blocked = _kernel.BlockedWaits; _kernel.BlockedWaits == blocked;)
            {
                _loop.RunTurn(mayBlock: true);
            }

            _kernel.AssertNoMisuse();
        }

        public void Close()
        {
            var disposed = Connection.DisposeAsync().AsTask();
            Run();
            Await(disposed);
            Assert.True(Peer.IsEnded);
        }

        // Not by await: the test must stay on the loop's thread.
        public static void Await(Task task) => Assert.True(task.Wait(TimeSpan.FromSeconds(30)));

        public static T Await<T>(ValueTask<T> task) => task.AsTask().GetAwaiter().GetResult();

        public void Dispose()
        {
            _loop.End();
            _kernel.AssertClean();
            _pool.AssertBalanced();
        }

        private static PipeOptions MakeOptions(PipeScheduler readerScheduler) =>
            new(MemoryPool<byte>.Shared, readerScheduler, PipeScheduler.Inline, LimitBytes, LimitBytes / 2, useSynchronizationContext: false);
    }
}
