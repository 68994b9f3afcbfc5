namespace Shockwave.Protocol.Tests;

/// <summary>Compares how long the same work takes on 1 KB and on 32 KB of header.</summary>
internal static class LinearTime
{
    /// <summary>Fails unless 32 times the input takes at most 64 times as long. Quadratic work takes 1024 times as long.</summary>
    internal static void Assert(Func<int, Action> prepare)
    {
        var small = prepare(1 << 10);
        var large = prepare(32 << 10);
        double ratio = double.MaxValue;

        // The smallest of many runs, both sizes in turn: a run that is interrupted counts for neither.
        var smallest = TimeSpan.MaxValue;
        var largest = TimeSpan.MaxValue;
        for (int run = 0; run < 200 && (run < 20 || ratio > 64); run++)
        {
            smallest = Min(smallest, Measure(small, 64));
            largest = Min(largest, Measure(large, 2));
            ratio = largest * 32 / smallest;
        }

        Xunit.Assert.True(ratio <= 64, $"32 KB took {ratio:F1} times as long as 1 KB.");
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Measure(Action work, int repetitions)
    {
        long start = TimeProvider.System.GetTimestamp();
        for (int i = 0; i < repetitions; i++)
        {
            work();
        }

        return TimeProvider.System.GetElapsedTime(start);
    }
}
