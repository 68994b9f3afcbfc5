namespace Shockwave.AspNetCore;

/// <summary>What a peer that gets no connection is answered.</summary>
/// <param name="Reason">What it is counted as.</param>
/// <param name="StatusCode">The HTTP status.</param>
/// <param name="Text">A sentence that says what to do; never contains what the peer sent.</param>
internal sealed record Refusal(RefusalReason Reason, int StatusCode, string Text)
{
    /// <summary>Gets when to come back, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Gets whether the TCP connection ends with the answer.</summary>
    public bool ClosesConnection { get; init; }
}
