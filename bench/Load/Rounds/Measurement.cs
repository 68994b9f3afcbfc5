namespace Shockwave.Load.Rounds;

/// <summary>
/// What the client found out about one server in one round; the names are those of its output. Busy is a process's share of one core,
/// all its threads; others are
/// whoever else ran on the two cores. The microseconds are the server's processor time for one message, or for one delivery of a fan-out.
/// </summary>
internal sealed record Measurement(
    double MessagesPerSecond,
    double ClientBusy,
    double ServerBusy,
    double OthersBusy,
    double ServerMicroseconds,
    double P50Microseconds,
    double P99Microseconds)
{
    /// <summary>Gets how close the machine came to its limit: one of the two cores must be busy, or something else had them.</summary>
    public double Saturation => Math.Max(ClientBusy, ServerBusy);
}
