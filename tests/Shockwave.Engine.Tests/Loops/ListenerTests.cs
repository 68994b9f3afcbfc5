using System.Net;
using System.Net.Sockets;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class ListenerTests : IDisposable
{
    private const int EADDRINUSE = 98;

    private readonly FakeKernel _kernel = new();
    private readonly ManualTimeProvider _time = new();
    private readonly EventLoop[] _loops;
    private readonly List<(EventLoop Loop, SocketTransport Transport)> _accepted = [];
    private readonly int _ownDescriptors;
    private bool _isEnded;

    public ListenerTests()
    {
        _loops = [FakeLoop.Create(LoopKind.Epoll, _kernel, _time), FakeLoop.Create(LoopKind.Epoll, _kernel, _time)];
        Array.ForEach(_loops, loop => loop.Enter());
        _ownDescriptors = _kernel.OpenCount;
    }

    public void Dispose()
    {
        End();
        _kernel.AssertClean();
    }

    [Fact]
    public void PortInUse_IsAnErrorThoughTheLoopsShareTheirs()
    {
        Listen(80);
        var error = Assert.Throws<SocketException>(() => Listen(80));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.Equal(_ownDescriptors + 2, _kernel.OpenCount);
    }

    [Fact]
    public void PortZero_IsOnePortForAllLoops()
    {
        var listener = Listen(0);
        Assert.NotEqual(0, listener.EndPoint.Port);
        for (int i = 0; i < 64; i++)
        {
            _kernel.Connect(listener.EndPoint.Port);
        }

        Turn();
        Assert.Equal(64, _accepted.Count);
        Assert.All(_loops, loop => Assert.Contains(_accepted, accepted => accepted.Loop == loop));
    }

    [Theory]
    [InlineData((int)KernelCall.OpenSocket)]
    [InlineData((int)KernelCall.SetOption)]
    [InlineData((int)KernelCall.Bind)]
    [InlineData((int)KernelCall.Listen)]
    public void CallThatFails_LeavesNothingOpen(int call)
    {
        // The first of its kind, and the one that opens the last socket.
        _kernel.Fail((KernelCall)call, EADDRINUSE);
        Assert.Throws<SocketException>(() => Listen(80));
        Assert.Equal(_ownDescriptors, _kernel.OpenCount);
        _kernel.Fail((KernelCall)call, call == (int)KernelCall.SetOption ? [0, 0, 0, 0, 0, 0, EADDRINUSE] : [0, EADDRINUSE]);
        Assert.Throws<SocketException>(() => Listen(80));
        Assert.Equal(_ownDescriptors, _kernel.OpenCount);
    }

    [Fact]
    public void Stop_AcceptsEverybodyWhoWaitsAndFreesThePort()
    {
        var listener = Listen(80);
        Turn();
        FakePeer[] peers = [.. Enumerable.Range(0, 200).Select(_ => _kernel.Connect(80)!)];
        var stopped = listener.StopAsync();
        Assert.Same(stopped, listener.StopAsync());
        Assert.False(stopped.IsCompleted);
        Turn();
        Assert.True(stopped.IsCompletedSuccessfully);
        Assert.Equal(200, _accepted.Count);
        Assert.All(peers, peer => Assert.False(peer.WasReset));
        Assert.Null(_kernel.Connect(80));
        Listen(80);
    }

    [Fact]
    public void StopAtTheEndOfTheLoops_IsCompleted()
    {
        var listener = Listen(80);
        Turn();
        var stopped = listener.StopAsync();
        End();
        Assert.True(stopped.IsCompletedSuccessfully);
    }

    private Listener Listen(int port) => Listener.Bind(
        _loops, new IPEndPoint(IPAddress.Loopback, port), 512, transport =>
        {
            var connection = new FakeConnection(transport, ((FakeSocket)_kernel.Find(transport.Socket)!).Peer!);
            _accepted.Add(((EventLoop)transport.Owner, connection.Transport));
        },
        _ => { });

    private void End()
    {
        if (!_isEnded)
        {
            _isEnded = true;
            Array.ForEach(_loops, loop => loop.End());
        }
    }

    private void Turn()
    {
        foreach (var loop in _loops)
        {
            for (int i = 0; i < 10; i++)
            {
                loop.RunTurn(mayBlock: false);
            }
        }
    }
}
