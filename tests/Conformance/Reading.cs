namespace Shockwave.Conformance;

/// <summary>How a reader ended.</summary>
internal enum Ending
{
    /// <summary>The stream ended, and nothing was wrong with it so far.</summary>
    Incomplete,

    /// <summary>A legal Close frame came.</summary>
    Closed,

    /// <summary>The peer violated the protocol, and a Close frame with a code answers it.</summary>
    Refused,

    /// <summary>The reader failed without telling the peer why.</summary>
    Failed,
}

/// <summary>What one of the two readers made of a stream, in terms of both.</summary>
internal sealed record Reading(IReadOnlyList<string> Messages, Ending Ending, int Code)
{
    public bool Equals(Reading? other) =>
        other is not null && Ending == other.Ending && Code == other.Code && Messages.SequenceEqual(other.Messages);

    public override int GetHashCode() => HashCode.Combine(Ending, Code, Messages.Count);

    public override string ToString() => $"{Ending} {Code} after [{string.Join(", ", Messages)}]";

    /// <summary>Whether this one delivered what the other did, and perhaps less.</summary>
    public bool IsPrefixOf(Reading other) => Messages.Count <= other.Messages.Count && Messages.SequenceEqual(other.Messages.Take(Messages.Count));

    public static string Describe(bool isText, ReadOnlySpan<byte> payload) => (isText ? "text " : "binary ") + Convert.ToHexString(payload);
}
