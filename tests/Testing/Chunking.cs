namespace Shockwave.Testing;

/// <summary>How a stream is cut into chunks: the lengths, in order, which add up to the stream's.</summary>
public static class Chunking
{
    /// <summary>Whole, one byte at a time, and so many random splits.</summary>
    public static IEnumerable<int[]> Of(int length, int randomCount, Random random)
    {
        yield return [length];
        yield return Singles(length);
        for (int i = 0; i < randomCount; i++)
        {
            yield return Split(length, random);
        }
    }

    /// <summary>One byte at a time.</summary>
    public static int[] Singles(int length)
    {
        int[] chunks = new int[length];
        chunks.AsSpan().Fill(1);
        return chunks;
    }

    /// <summary>A random split: of chunks that are all small, or at most as long as the stream.</summary>
    public static int[] Split(int length, Random random)
    {
        var chunks = new List<int>();
        int longest = random.Next(4) == 0 ? Math.Min(8, length) : length;
        for (int rest = length; rest > 0;)
        {
            int chunk = Math.Min(rest, random.Next(1, longest + 1));
            chunks.Add(chunk);
            rest -= chunk;
        }

        return [.. chunks];
    }
}
