using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed partial class SocketTransportTests
{
    /// <summary>The kernel may have no memory for requests just when the ring of them is full: none of those that wait there may make room for the next.</summary>
    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void MoreSendsInATurnThanTheRingHolds_AllLeaveAlsoWhenTheKernelIsShortOfMemory(string kind)
    {
        const int eagain = 11;
        using var test = new FakeLoop(kind);
        var connections = Enumerable.Range(0, 1500).Select(_ => test.Connect(isStarted: false)).ToArray();
        test.Post(() =>
        {
            test.Kernel.Fail(KernelCall.RingEnter, eagain, eagain);
            foreach (var connection in connections)
            {
                connection.Write(10);
            }
        });
        test.Run();
        Assert.All(connections, connection => Assert.Equal(10, connection.Peer.TakeAll().Length));
        Assert.All(connections, connection => Assert.Equal(["drained"], connection.Calls));
    }
}
