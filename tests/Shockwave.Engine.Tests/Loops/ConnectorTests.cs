using System.Net;
using System.Net.Sockets;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class ConnectorTests
{
    private static readonly IPEndPoint _server = new(IPAddress.Loopback, 8080);

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ConnectThatSucceedsAtOnce_GivesATransportThatWorks(string kind)
    {
        using var test = new FakeLoop(kind);
        var connecting = Begin(test);
        AssertWorks(test, connecting);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ConnectThatSucceedsLater_GivesATransportThatWorks(string kind)
    {
        using var test = new FakeLoop(kind);
        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test);
        Assert.False(connecting.IsCompleted);
        test.Kernel.Outgoing.Single().Accept();
        test.Run();
        AssertWorks(test, connecting);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void BytesThatCameWithTheAccept_AreReceived(string kind)
    {
        using var test = new FakeLoop(kind);
        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test);
        var peer = test.Kernel.Outgoing.Single();
        peer.Accept();
        peer.Send("early"u8);
        peer.End();
        test.Run();
        var connection = new FakeConnection(Result(connecting), peer);
        connection.Transport.Start();
        test.Run();
        Assert.Equal("early", connection.Text);
        Assert.Equal(["ended"], connection.Calls);
    }

    [Theory]
    [InlineData("Epoll", 111, SocketError.ConnectionRefused)]
    [InlineData("IoUring", 111, SocketError.ConnectionRefused)]
    [InlineData("Epoll", 101, SocketError.NetworkUnreachable)]
    [InlineData("IoUring", 101, SocketError.NetworkUnreachable)]
    [InlineData("Epoll", 113, SocketError.HostUnreachable)]
    [InlineData("IoUring", 113, SocketError.HostUnreachable)]
    [InlineData("Epoll", 110, SocketError.TimedOut)]
    [InlineData("IoUring", 110, SocketError.TimedOut)]
    public void Failure_AtOnceOrLater_IsReportedAndLeavesNothing(string kind, int errno, SocketError expected)
    {
        using var test = new FakeLoop(kind);
        test.Kernel.Fail(KernelCall.Connect, errno);
        AssertFailed(test, Begin(test), expected);

        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test);
        Assert.False(connecting.IsCompleted);
        test.Kernel.Outgoing.Single().Refuse(errno);
        test.Run();
        AssertFailed(test, connecting, expected);
    }

    [Theory]
    [InlineData("Epoll", KernelCall.OpenSocket)]
    [InlineData("IoUring", KernelCall.OpenSocket)]
    [InlineData("Epoll", KernelCall.SetOption)]
    [InlineData("IoUring", KernelCall.SetOption)]
    public void NoDescriptorLeft_IsReported(string kind, object call)
    {
        using var test = new FakeLoop(kind);
        test.Kernel.Fail((KernelCall)call, Errno.EMFILE);
        AssertFailed(test, Begin(test), SocketError.TooManyOpenSockets);
    }

    [Fact]
    public void EpollWithoutAPlace_IsReported()
    {
        using var test = new FakeLoop("Epoll");
        test.Kernel.Fail(KernelCall.EpollControl, Errno.ENOSPC);
        Assert.IsType<EngineException>(Begin(test).Exception!.InnerException);
        test.Kernel.ConnectsLater = true;
        test.Kernel.Fail(KernelCall.EpollControl, Errno.ENOSPC);
        Assert.IsType<EngineException>(Begin(test).Exception!.InnerException);
        Assert.Equal((test.OwnDescriptors, 0), (test.Kernel.OpenCount, test.Loop.ConnectionCount));
    }

    // HUP, ERR and OUT come in pieces and events come for nothing: only what connect says counts.
    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void HangUpAndErrorInAnyOrder_EndTheAttemptOnce(string kind)
    {
        for (int seed = 0; seed < 200; seed++)
        {
            using var test = new FakeLoop(kind);
            test.Kernel.Faults = new FakeFaults { HangUpInPieces = 2, Spurious = 2, IsShuffled = true, FewerEvents = 2 };
            test.Kernel.ConnectsLater = true;
            Task<SocketTransport>[] connecting = [.. Enumerable.Range(0, 8).Select(_ => Begin(test))];
            for (int i = 0; i < connecting.Length; i++)
            {
                var peer = test.Kernel.Outgoing[i];
                switch ((seed + i) % 3)
                {
                    case 0:
                        peer.Refuse(111);
                        break;
                    case 1:
                        peer.Accept();
                        peer.Reset();
                        break;
                    default:
                        peer.Accept();
                        break;
                }
            }

            test.Run();
            Assert.All(connecting.Index(), attempt => Assert.Equal((seed + attempt.Index) % 3 == 2, attempt.Item.IsCompletedSuccessfully));
            Assert.All(connecting, attempt => Assert.True(attempt.IsCompleted));
        }
    }

    [Fact]
    public void EventThatComesTooEarly_IsNotTakenForASuccess()
    {
        using var test = new FakeLoop("Epoll");
        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test);
        test.Kernel.Outgoing.Single().Accept();
        test.Kernel.Fail(KernelCall.Connect, Errno.EALREADY, Errno.EINTR);
        test.Turn();
        test.Turn();
        Assert.False(connecting.IsCompleted);
        test.Run();
        AssertWorks(test, connecting);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void CancelledConnect_ClosesItsSocket(string kind)
    {
        using var test = new FakeLoop(kind);
        using var cancel = new CancellationTokenSource();
        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test, cancel.Token);
        cancel.Cancel();
        test.Run();
        AssertCancelled(test, connecting);
        test.Kernel.Outgoing.Single().Accept();
        test.Run();
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void CancelBeforeTheBegin_OpensNoSocket(string kind)
    {
        using var test = new FakeLoop(kind);
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        AssertCancelled(test, Begin(test, cancel.Token));
        Assert.Equal(0, test.Kernel.CountOf(KernelCall.OpenSocket));
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void CancelThatMeetsTheAnswer_LeavesEitherATransportOrNothing(string kind)
    {
        using var test = new FakeLoop(kind);
        using var cancel = new CancellationTokenSource();
        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test, cancel.Token);
        test.Kernel.Outgoing.Single().Accept();
        cancel.Cancel();
        test.Run();
        Assert.True(connecting.IsCompleted);
        Assert.Equal(connecting.IsCompletedSuccessfully ? 1 : 0, test.Loop.ConnectionCount);
        Assert.Equal(test.OwnDescriptors + test.Loop.ConnectionCount, test.Kernel.OpenCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void Timeout_IsTheCallersToken(string kind)
    {
        using var test = new FakeLoop(kind);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10), test.Time);
        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test, timeout.Token);
        test.Advance(TimeSpan.FromSeconds(9));
        Assert.False(connecting.IsCompleted);
        test.Advance(TimeSpan.FromSeconds(2));
        AssertCancelled(test, connecting);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void LoopThatEnds_EndsItsAttempts(string kind)
    {
        using var test = new FakeLoop(kind);
        test.Kernel.ConnectsLater = true;
        var connecting = Begin(test);
        var late = Connector.ConnectAsync(test.Loop, _server, CancellationToken.None);
        test.End();
        Assert.True(connecting.IsFaulted && late.IsFaulted);
    }

    private static Task<SocketTransport> Begin(FakeLoop test, CancellationToken cancellationToken = default)
    {
        var connecting = Connector.ConnectAsync(test.Loop, _server, cancellationToken);
        test.Run();
        return connecting;
    }

    private static SocketTransport Result(Task<SocketTransport> connecting)
    {
        Assert.True(connecting.IsCompletedSuccessfully);
        return connecting.GetAwaiter().GetResult();
    }

    private static void AssertWorks(FakeLoop test, Task<SocketTransport> connecting)
    {
        var connection = new FakeConnection(Result(connecting), test.Kernel.Outgoing.Single());
        Assert.Equal(_server, connection.Transport.RemoteEndPoint);
        connection.Transport.Start();
        test.Post(() => connection.Write(100));
        connection.Peer.Send("hello"u8);
        test.Run();
        Assert.Equal("hello", connection.Text);
        Assert.Equal(100, connection.Peer.TakeAll().Length);
        Assert.Equal((test.OwnDescriptors + 1, 1), (test.Kernel.OpenCount, test.Loop.ConnectionCount));
    }

    private static void AssertFailed(FakeLoop test, Task<SocketTransport> connecting, SocketError expected)
    {
        Assert.Equal(expected, Assert.IsType<SocketException>(connecting.Exception!.InnerException).SocketErrorCode);
        Assert.Equal((test.OwnDescriptors, 0), (test.Kernel.OpenCount, test.Loop.ConnectionCount));
    }

    private static void AssertCancelled(FakeLoop test, Task<SocketTransport> connecting)
    {
        Assert.IsType<OperationCanceledException>(connecting.Exception!.InnerException);
        Assert.Equal((test.OwnDescriptors, 0), (test.Kernel.OpenCount, test.Loop.ConnectionCount));
    }
}
