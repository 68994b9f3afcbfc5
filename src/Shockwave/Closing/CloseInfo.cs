using Shockwave.Protocol;

namespace Shockwave;

/// <summary>How a connection ended. A value; safe to keep.</summary>
public readonly record struct CloseInfo
{
    internal CloseInfo(in CloseHandshake handshake, string reason, Exception? cause)
    {
        Code = handshake.Outcome;
        Reason = reason;
        CodeReceived = handshake.Received;
        CodeSent = handshake.Sent;
        IsPeerFirst = handshake.IsPeerFirst;
        Cause = cause;
    }

    /// <summary>Gets the code of the first Close frame; 1005 if it carried none; 1006 if there was no Close frame (RFC 6455 §7.1.5).</summary>
    public CloseCode Code { get; }

    /// <summary>Gets the reason in the first Close frame; empty if there was none. At most 123 bytes of UTF-8; the peer's is untrusted.</summary>
    public string Reason { get; }

    /// <summary>Gets the code that the peer sent; 1005 for a Close frame without one; <see langword="null"/> if it sent no Close frame.</summary>
    public CloseCode? CodeReceived { get; }

    /// <summary>Gets the code that we sent, in the same way.</summary>
    public CloseCode? CodeSent { get; }

    /// <summary>Gets whether the peer's Close frame came before ours.</summary>
    public bool IsPeerFirst { get; }

    /// <summary>Gets whether both sides sent a Close frame and nothing failed: a normal end, not an error.</summary>
    public bool IsClean => CodeReceived is not null && CodeSent is not null && Cause is null;

    /// <summary>
    /// Gets what went wrong: a <see cref="ProtocolViolationException"/>, a network error, a <see cref="TimeoutException"/>, or what the
    /// handler threw; <see langword="null"/> if nothing did.
    /// </summary>
    public Exception? Cause { get; }
}
