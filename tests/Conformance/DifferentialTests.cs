using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>Our reader against the WebSocket of .NET on generated streams: they differ only where the list says.</summary>
public sealed class DifferentialTests(ITestOutputHelper output)
{
    /// <summary>What our reader allows; the oracle knows no limits.</summary>
    internal static readonly MessageLimits Limits = new(MaxMessageBytes: 16 * 1024, MaxFrameBytes: 16 * 1024, MaxFragmentsPerMessage: 64);

    private const int StreamCount = 100_000;
    private const int MostFailuresShown = 10;

    public static TheoryData<string> DeviationNames => [.. Deviations.All.Select(deviation => deviation.Name)];

    [Fact]
    public void GeneratedStreams_AreReadAsDotNetReadsThemButForTheListedDeviations()
    {
        int seed = TestSeed.Choose(output.WriteLine);
        var generator = new StreamGenerator(new Random(seed));
        var counts = new Dictionary<string, int>();
        var failures = new List<string>();
        for (int i = 0; i < StreamCount && failures.Count < MostFailuresShown; i++)
        {
            var comparison = Comparison.Of(generator.Next());
            string kind = Classify(comparison);
            counts[kind] = counts.GetValueOrDefault(kind) + 1;
            if (kind.Length == 0)
            {
                failures.Add($"stream {i} of SHOCKWAVE_SEED={seed}\n{comparison}");
            }
        }

        foreach (var (kind, count) in counts.OrderByDescending(pair => pair.Value))
        {
            output.WriteLine($"{count,8} {kind}");
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
    }

    // An excuse for what does not happen would hide what does.
    [Theory]
    [MemberData(nameof(DeviationNames))]
    public void Deviation_IsReal(string name)
    {
        var deviation = Deviations.All.Single(each => each.Name == name);
        var comparison = Comparison.Of(deviation.Example);
        Assert.False(comparison.IsSame, comparison.ToString());
        Assert.True(deviation.Explains(comparison), comparison.ToString());
    }

    private static string Classify(Comparison comparison) => comparison.IsSame
        ? $"same: {comparison.Ours.Ending} {(comparison.Ours.Ending == Ending.Refused ? comparison.Ours.Code : "")}"
        : Deviations.All.FirstOrDefault(deviation => deviation.Explains(comparison))?.Name ?? "";
}
