using Shockwave.Protocol;

namespace Shockwave;

/// <summary>The peer violated the protocol. Seen as <see cref="CloseInfo.Cause"/>; never thrown at a caller by itself.</summary>
public sealed class ProtocolViolationException : ShockwaveException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="violation">What the peer did.</param>
    public ProtocolViolationException(ProtocolViolation violation)
        : base($"The peer violated {violation.Section}: {violation.Reason}.") => Violation = violation;

    /// <summary>Gets what the peer did, with the close code and the section.</summary>
    public ProtocolViolation Violation { get; }
}
