namespace Shockwave.Tests;

[Collection(nameof(Alone))]
public sealed partial class TopicTableTests
{
    [Fact]
    public void MillionConnections_FitIntoHalfAGigabyteAndHearABroadcastAtThePriceOfTenThousand()
    {
        const int Few = 10_000, Many = 1_000_000, Rounds = 11, FewTimes = 50;
        const long MaxLiveBytes = 512L * 1000 * 1000;
        const double MaxRatio = 1.5;
        var maxEnd = TimeSpan.FromSeconds(10);

        // The loops leave no context to this thread, not even the test's.
        var output = TestContext.Current.TestOutputHelper!;
        using var few = new Crowd(Few);
        using var many = new Crowd(Many);
        Assert.True(many.LiveBytes < MaxLiveBytes, $"{many.LiveBytes} bytes");

        // Until the code is compiled for good.
        few.Broadcast(10 * FewTimes);
        var rounds = Enumerable.Range(0, Rounds).Select(_ =>
        {
            double atMany = many.Broadcast(1);
            few.Broadcast(1);
            return (Few: few.Broadcast(FewTimes), Many: atMany);
        }).OrderBy(round => round.Many / round.Few).ToArray();
        var (atFew, atMany) = rounds[Rounds / 2];
        string figures = $"{many.LiveBytes / Many} B for each connection; {atFew:F0} ns for each of {Few}, {atMany:F0} ns for each of {Many}: {atMany / atFew:F2} times as much";
        output.WriteLine(figures);
        few.AssertAllHeardEverything();
        many.AssertAllHeardEverything();
        Assert.True(atMany / atFew <= MaxRatio, figures);
        few.End();
        var end = many.End();
        output.WriteLine($"{end.TotalSeconds:F1} s to end {Many}");
        Assert.True(end < maxEnd, $"{end}");
    }
}
