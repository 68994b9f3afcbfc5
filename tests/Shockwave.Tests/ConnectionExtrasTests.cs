using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class ConnectionExtrasTests
{
    [Fact]
    public void WhoAsksAfterTheEnd_IsToldOfIt()
    {
        var extras = new ConnectionExtras { CloseReason = "why" };
        Assert.Null(extras.CloseInfo);
        Assert.Equal("why", extras.End(default).Reason);
        extras.Complete();
        Assert.True(extras.Completion.IsCompletedSuccessfully);
        Assert.True(extras.Closed.IsCancellationRequested);
        Assert.Equal(CloseCode.AbnormalClosure, extras.CloseInfo!.Value.Code);
    }

    [Fact]
    public async Task WhoAsksWhileItEnds_IsToldOfIt()
    {
        for (int i = 0; i < 2000; i++)
        {
            var extras = new ConnectionExtras();
            using var together = new Barrier(3);
            var completion = Task.Run(() =>
            {
                together.SignalAndWait();
                return extras.Completion;
            });
            var closed = Task.Run(() =>
            {
                together.SignalAndWait();
                return extras.Closed;
            });
            together.SignalAndWait(TestContext.Current.CancellationToken);
            extras.Complete();
            await completion.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
            Assert.True((await closed).WaitHandle.WaitOne(TimeSpan.FromSeconds(10)));
        }
    }

    [Fact]
    public void PeerThatHangsUp_CancelsClosedBeforeTheEnd()
    {
        var owner = new SameThreadOwner(new ManualTimeProvider());
        var transport = new MemoryTransport(owner);
        var connection = new WebSocketConnection(
            new Shard(owner, ConnectionEvents.None), transport, EndpointRole.Server, new ConnectionSettings(new TestOptions(), owner.Time), new EchoHandler().CreateDispatcher(), UpgradeDetails.None);
        connection.Start();
        owner.RunAll();
        Assert.False(connection.Closed.IsCancellationRequested);
        transport.HangUp();
        Assert.True(connection.Closed.WaitHandle.WaitOne(TimeSpan.FromSeconds(10)));
        Assert.True(connection.IsOpen);
        Assert.False(connection.Completion.IsCompleted);
    }
}
