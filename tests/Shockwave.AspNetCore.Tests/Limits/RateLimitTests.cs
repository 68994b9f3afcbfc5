using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed class RateLimitTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(1_000_000)]
    public void TwiceTheRateAtOnce_ThenTheRate(int perSecond)
    {
        var time = new ManualTimeProvider();
        var rate = new RateLimit(perSecond, time);
        Assert.Equal(2 * perSecond, TakeAll(rate));
        Assert.InRange(rate.Take().TotalSeconds, 0.999 / perSecond, 1.001 / perSecond);

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.InRange(TakeAll(rate), perSecond, perSecond + (perSecond / 100));

        // A quiet hour saves up no more than the burst.
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(2 * perSecond, TakeAll(rate));
    }

    [Fact]
    public void WaitingAsLongAsIsSaid_IsEnough()
    {
        var time = new ManualTimeProvider();
        var rate = new RateLimit(7, time);
        TakeAll(rate);
        for (int i = 0; i < 100; i++)
        {
            var wait = rate.Take();
            Assert.True(wait > TimeSpan.Zero);
            time.Advance(wait - TimeSpan.FromTicks(1));
            Assert.Equal(TimeSpan.FromTicks(1), rate.Take());
            time.Advance(TimeSpan.FromTicks(1));
            Assert.Equal(TimeSpan.Zero, rate.Take());
        }
    }

    [Fact]
    public void TakingAhead_AddsUpTheWaitAndIsPaidForFirst()
    {
        var time = new ManualTimeProvider();
        var rate = new RateLimit(10, time);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(TimeSpan.Zero, rate.TakeAhead());
        }

        for (int i = 1; i <= 30; i++)
        {
            Assert.Equal(TimeSpan.FromSeconds(i / 10.0), rate.TakeAhead());
        }

        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(0.1), rate.Take());
        Assert.Equal(TimeSpan.FromSeconds(0.1), rate.TakeAhead());
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(TimeSpan.Zero, rate.TakeAhead());
    }

    private static int TakeAll(RateLimit rate)
    {
        int count = 0;
        while (rate.Take() == TimeSpan.Zero)
        {
            count++;
        }

        return count;
    }
}
