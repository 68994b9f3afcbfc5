namespace Shockwave.Load.Results;

internal static class Quantile
{
    /// <summary>The value below which <paramref name="share"/> of the values are, between two of them on a straight line.</summary>
    public static double Of(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        double position = share * (sorted.Length - 1);
        int below = (int)position;
        return below + 1 < sorted.Length ? sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}
