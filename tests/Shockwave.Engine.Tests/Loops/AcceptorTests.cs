using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class AcceptorTests
{
    private const int EMFILE = 24;
    private const int ENOSPC = 28;

    private readonly List<SocketTransport> _accepted = [];
    private readonly List<int> _pauses = [];
    private int _most = int.MaxValue;

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void Connections_AreAcceptedInOrder(string kind)
    {
        using var test = new FakeLoop(kind);
        Listen(test);
        int[] ports = [.. Enumerable.Range(0, 200).Select(_ => test.Kernel.Connect(80)!.Port)];
        test.Run();
        Assert.Equal(ports, _accepted.Select(transport => transport.RemoteEndPoint!.Port));
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void StormOfConnections_LeavesTheOpenOnesTheirTurn(string kind)
    {
        using var test = new FakeLoop(kind);
        Listen(test);
        var open = test.Connect();
        int acceptedBefore = -1;
        open.OnReceived = bytes =>
        {
            acceptedBefore = _accepted.Count;
            return bytes.Length;
        };
        for (int i = 0; i < 500; i++)
        {
            test.Kernel.Connect(80);
        }

        open.Peer.Send("x"u8);
        test.Run();
        Assert.InRange(acceptedBefore, 0, 64);
        Assert.Equal(500, _accepted.Count);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ExhaustedDescriptors_PauseAcceptingWithoutSpinning(string kind)
    {
        using var test = new FakeLoop(kind);
        Listen(test);
        test.Kernel.DescriptorLimit = 3 + test.Kernel.OpenCount;
        for (int i = 0; i < 3; i++)
        {
            test.Kernel.Connect(80);
        }

        test.Run();
        Assert.Empty(_accepted);
        Assert.Equal([EMFILE], _pauses);

        // Nothing but the wait: the socket that stays ready does not wake the loop.
        int calls = test.Kernel.CallCount;
        test.Turn();
        test.Turn();
        Assert.Equal(calls + 2, test.Kernel.CallCount);
        test.Kernel.DescriptorLimit = int.MaxValue;
        test.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3, _accepted.Count);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void RepeatedExhaustion_IsRetriedLessAndLessOften(string kind)
    {
        using var test = new FakeLoop(kind);
        Listen(test);
        test.Kernel.DescriptorLimit = 3 + test.Kernel.OpenCount;
        test.Kernel.Connect(80);
        test.Run();
        for (int i = 0; i < 200; i++)
        {
            test.Advance(TimeSpan.FromMilliseconds(100));
        }

        // At most every second in the end; 20 seconds have passed.
        Assert.InRange(_pauses.Count, 18, 28);
        test.Kernel.DescriptorLimit = int.MaxValue;
        test.Advance(TimeSpan.FromSeconds(2));
        Assert.Single(_accepted);

        // All is well again: the next pause is a short one.
        test.Kernel.Fail(KernelCall.Accept, EMFILE);
        test.Kernel.Connect(80);
        test.Run();
        test.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(2, _accepted.Count);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ConnectionThatLeftWhileItWaited_DoesNotKeepTheNextOneOut(string kind)
    {
        using var test = new FakeLoop(kind);
        Listen(test);
        var lost = test.Kernel.Connect(80)!;
        var next = test.Kernel.Connect(80)!;
        test.Kernel.Fail(KernelCall.Accept, 4, 103);
        test.Run();
        Assert.True(lost.HasReset);
        Assert.Equal(next.Port, Assert.Single(_accepted).RemoteEndPoint!.Port);
        Assert.Empty(_pauses);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void Close_AcceptsEverybodyWhoWaits(string kind)
    {
        using var test = new FakeLoop(kind);
        var acceptor = Listen(test);
        test.Run();
        FakePeer[] peers = [.. Enumerable.Range(0, 100).Select(_ => test.Kernel.Connect(80)!)];
        acceptor.Close();
        acceptor.Close();
        test.Run();
        Assert.Equal(100, _accepted.Count);
        Assert.All(peers, peer => Assert.False(peer.WasReset));
        Assert.Null(test.Kernel.Connect(80));
        Assert.Equal(test.OwnDescriptors + 100, test.Kernel.OpenCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ClosedPort_IsFreeAtOnce(string kind)
    {
        using var test = new FakeLoop(kind);
        var acceptor = Listen(test);
        test.Run();
        test.Post(() =>
        {
            acceptor.Close();
            Listen(test);
        });
        test.Run();
        test.Kernel.Connect(80);
        test.Run();
        Assert.Single(_accepted);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void PausedAcceptor_ClosesAndIsNotTriedAgain(string kind)
    {
        using var test = new FakeLoop(kind);
        var acceptor = Listen(test);
        test.Kernel.Fail(KernelCall.Accept, EMFILE);
        test.Kernel.Connect(80);
        test.Run();
        test.Kernel.Fail(KernelCall.Accept, EMFILE);
        acceptor.Close();
        test.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(_accepted);
        Assert.Equal([EMFILE], _pauses);
        Assert.Equal(test.OwnDescriptors, test.Kernel.OpenCount);
    }

    [Fact]
    public void FullEpoll_ClosesThisConnectionAndPauses()
    {
        using var test = new FakeLoop(nameof(LoopKind.Epoll));
        Listen(test);
        var peer = test.Kernel.Connect(80)!;
        test.Kernel.Fail(KernelCall.EpollControl, ENOSPC);
        test.Run();
        Assert.Equal([ENOSPC], _pauses);
        Assert.True(peer.IsEnded);
        Assert.Equal(0, test.Loop.ConnectionCount);

        // Accepting begins again with such a call, too.
        test.Kernel.Fail(KernelCall.EpollControl, ENOSPC);
        test.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([ENOSPC, ENOSPC], _pauses);
        test.Kernel.Connect(80);
        test.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(_accepted);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void NoRoom_LeavesTheRestInTheQueueUntilThereIs(string kind)
    {
        using var test = new FakeLoop(kind);
        _most = 5;
        var acceptor = Listen(test);
        test.Run();
        int[] ports = [.. Enumerable.Range(0, 5).Select(_ => test.Kernel.Connect(80)!.Port)];
        test.Run();
        Assert.Equal(5, _accepted.Count);
        ports = [.. ports, .. Enumerable.Range(0, 20).Select(_ => test.Kernel.Connect(80)!.Port)];
        test.Run();
        Assert.Equal(5, _accepted.Count);

        // Neither time nor the socket that stays ready wakes the loop.
        int calls = test.Kernel.CallCount;
        test.Time.Advance(TimeSpan.FromMinutes(1));
        test.Turn();
        test.Turn();
        Assert.Equal(calls + 2, test.Kernel.CallCount);

        _most = int.MaxValue;
        test.Post(acceptor.Resume);
        test.Post(acceptor.Resume);
        test.Run();
        Assert.Equal(ports, _accepted.Select(transport => transport.RemoteEndPoint!.Port));
        Assert.Empty(_pauses);
    }

    // What the kernel accepted before io_uring's request was cancelled is here already.
    [Theory]
    [InlineData(nameof(LoopKind.Epoll), 5)]
    [InlineData(nameof(LoopKind.IoUring), 25)]
    public void NoRoom_LosesNobodyWhomTheKernelHasAccepted(string kind, int expected)
    {
        using var test = new FakeLoop(kind);
        _most = 5;
        var acceptor = Listen(test);
        test.Run();
        for (int i = 0; i < 25; i++)
        {
            test.Kernel.Connect(80);
        }

        test.Run();
        Assert.Equal(expected, _accepted.Count);
        test.Kernel.Connect(80);
        test.Run();
        Assert.Equal(expected, _accepted.Count);

        _most = int.MaxValue;
        test.Post(acceptor.Resume);
        test.Run();
        Assert.Equal(26, _accepted.Count);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void RoomInTheSameTurn_GoesOnAndPausesAgain(string kind)
    {
        using var test = new FakeLoop(kind);
        _most = 1;
        var acceptor = Listen(test);
        test.Run();
        test.Kernel.Connect(80);
        test.Post(() =>
        {
            // On io_uring the cancelled request has not ended yet.
            _most = 2;
            acceptor.Resume();
        });
        test.Run();
        Assert.Single(_accepted);
        test.Post(acceptor.Resume);
        test.Kernel.Connect(80);
        test.Run();
        Assert.Equal(2, _accepted.Count);
        test.Kernel.Connect(80);
        test.Run();
        Assert.Equal(2, _accepted.Count);
        _most = 3;
        test.Post(acceptor.Resume);
        test.Run();
        Assert.Equal(3, _accepted.Count);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void CloseWithoutRoom_AcceptsEverybodyWhoWaits(string kind)
    {
        using var test = new FakeLoop(kind);
        _most = 1;
        var acceptor = Listen(test);
        test.Run();
        test.Kernel.Connect(80);
        test.Run();
        FakePeer[] peers = [.. Enumerable.Range(0, 100).Select(_ => test.Kernel.Connect(80)!)];
        acceptor.Close();
        acceptor.Resume();
        test.Run();
        Assert.Equal(101, _accepted.Count);
        Assert.All(peers, peer => Assert.False(peer.WasReset));
        Assert.Equal(test.OwnDescriptors + 101, test.Kernel.OpenCount);
    }

    private Acceptor Listen(FakeLoop test) => test.Listen(
        transport =>
        {
            var connection = new FakeConnection(transport, ((FakeSocket)test.Kernel.Find(transport.Socket)!).Peer!);
            _accepted.Add(connection.Transport);
            transport.Start();
        },
        _pauses.Add,
        () => _accepted.Count < _most);
}
