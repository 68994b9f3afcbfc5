namespace Shockwave.Protocol;

/// <summary>What a peer may send at most. A value; every limit is finite.</summary>
/// <param name="MaxMessageBytes">1 to <see cref="Array.MaxLength"/>: the largest message, on the wire and inflated; compressed it may be an eighth and 1 KiB longer on the wire.</param>
/// <param name="MaxFrameBytes">1 to <see cref="Array.MaxLength"/>: the largest payload of one data frame; where it is not below the message's limit, the same goes for it.</param>
/// <param name="MaxFragmentsPerMessage">1 or more: the most frames in one message; empty ones count.</param>
public readonly record struct MessageLimits(int MaxMessageBytes, int MaxFrameBytes, int MaxFragmentsPerMessage);
