using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class BusyPollTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMicroseconds(50);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Spin_EndsWhenItsTimeIsOver()
    {
        var poll = new BusyPoll(_limit, _time);
        Assert.True(poll.IsEnabled && poll.IsWorthwhile);
        poll.Begin();
        int looks = 0;
        for (; poll.GoesOn; looks++)
        {
            _time.Advance(TimeSpan.FromMicroseconds(1));
        }

        Assert.InRange(looks, 50, 60);
    }

    [Fact]
    public void SpinThatFoundNothing_IsLeftOutTwiceAsOftenEachTime()
    {
        var poll = new BusyPoll(_limit, _time);
        int[] leftOut = [.. Enumerable.Range(0, 14).Select(_ => SpinInVain(poll))];
        Assert.Equal([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023, 1023, 1023], leftOut);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SomethingFoundInTime_MakesSpinningWorthwhileAgain(bool bySpinning)
    {
        var poll = new BusyPoll(_limit, _time);
        for (int i = 0; i < 5; i++)
        {
            SpinInVain(poll);
        }

        poll.Begin();
        if (bySpinning)
        {
            poll.Hit();
        }
        else
        {
            _time.Advance(_limit / 2);
            poll.Blocked();
        }

        Assert.True(poll.IsWorthwhile);
        Assert.Equal(0, SpinInVain(poll));
    }

    [Fact]
    public void LongWait_ChangesNothing()
    {
        var poll = new BusyPoll(_limit, _time);
        SpinInVain(poll);
        SpinInVain(poll);
        poll.Begin();
        _time.Advance(_limit * 2);
        poll.Blocked();
        Assert.Equal(3, SpinInVain(poll));
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void LoopThatSpins_BlocksInTheEndAndFindsWhatComesMeanwhile(string kind)
    {
        using var test = new FakeLoop(kind, busyPoll: _limit);
        var wait = test.Kind == LoopKind.Epoll ? KernelCall.EpollWait : KernelCall.RingEnter;
        test.Kernel.Faults = new FakeFaults { Meanwhile = 1 };
        test.Kernel.Meanwhile = () => test.Time.Advance(TimeSpan.FromMicroseconds(1));
        var connection = test.Connect();
        int waits = test.Kernel.CountOf(wait), blocked = test.Kernel.BlockedWaits;
        test.Loop.RunTurn(mayBlock: true);
        Assert.InRange(test.Kernel.CountOf(wait) - waits, 1, 100);
        Assert.Equal(blocked + 1, test.Kernel.BlockedWaits);

        bool isSent = false;
        test.Kernel.Meanwhile = () =>
        {
            test.Time.Advance(TimeSpan.FromMicroseconds(1));
            if (!isSent)
            {
                isSent = true;
                connection.Peer.Send("now"u8);
            }
        };
        test.Run();
        Assert.Equal("now", connection.Text);
    }

    // Spins in vain once; returns how many waits are made without spinning before the next spin.
    private int SpinInVain(BusyPoll poll)
    {
        poll.Begin();
        do
        {
            _time.Advance(_limit);
        }
        while (poll.GoesOn);

        int leftOut = 0;
        while (!poll.IsWorthwhile)
        {
            leftOut++;
        }

        return leftOut;
    }
}
