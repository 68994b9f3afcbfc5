namespace Shockwave.Protocol;

/// <summary>
/// What the peer did that the protocol forbids. A value, not an exception: it says how to fail the connection (RFC 6455 §7.1.7).
/// </summary>
/// <param name="CloseCode">The code to send in the Close frame: 1002, 1007 or 1009.</param>
/// <param name="Section">The section that was violated, such as <c>RFC 6455 §5.5</c>.</param>
/// <param name="Reason">A short constant text for the Close frame and the log; never contains what the peer sent.</param>
public sealed record ProtocolViolation(CloseCode CloseCode, string Section, string Reason)
{
    // Every violation is known beforehand, so reporting one allocates nothing.
    internal static readonly ProtocolViolation ReservedOpcode = new(CloseCode.ProtocolError, "RFC 6455 §5.2", "reserved opcode");
    internal static readonly ProtocolViolation ReservedBits = new(CloseCode.ProtocolError, "RFC 6455 §5.2", "reserved bit set");
    internal static readonly ProtocolViolation FragmentedControlFrame = new(CloseCode.ProtocolError, "RFC 6455 §5.5", "fragmented control frame");
    internal static readonly ProtocolViolation ControlFrameTooLong = new(CloseCode.ProtocolError, "RFC 6455 §5.5", "control frame over 125 bytes");
    internal static readonly ProtocolViolation LengthNotMinimal = new(CloseCode.ProtocolError, "RFC 6455 §5.2", "length not minimally encoded");
    internal static readonly ProtocolViolation LengthTopBit = new(CloseCode.ProtocolError, "RFC 6455 §5.2", "length with the top bit set");
    internal static readonly ProtocolViolation NotMasked = new(CloseCode.ProtocolError, "RFC 6455 §5.1", "client frame is not masked");
    internal static readonly ProtocolViolation Masked = new(CloseCode.ProtocolError, "RFC 6455 §5.1", "server frame is masked");
    internal static readonly ProtocolViolation UnexpectedContinuation = new(CloseCode.ProtocolError, "RFC 6455 §5.4", "continuation without a message");
    internal static readonly ProtocolViolation ExpectedContinuation = new(CloseCode.ProtocolError, "RFC 6455 §5.4", "new message inside a fragmented one");
    internal static readonly ProtocolViolation FrameTooBig = new(CloseCode.MessageTooBig, "RFC 6455 §7.4.1", "frame is too big");
    internal static readonly ProtocolViolation MessageTooBig = new(CloseCode.MessageTooBig, "RFC 6455 §7.4.1", "message is too big");
    internal static readonly ProtocolViolation TooManyFragments = new(CloseCode.PolicyViolation, "RFC 6455 §7.4.1", "too many fragments");
    internal static readonly ProtocolViolation InvalidText = new(CloseCode.InvalidPayloadData, "RFC 6455 §8.1", "text is not UTF-8");
    internal static readonly ProtocolViolation InvalidCompressedData = new(CloseCode.InvalidPayloadData, "RFC 7692 §7.2.2", "compressed data is corrupt");
    internal static readonly ProtocolViolation CloseBodyTooShort = new(CloseCode.ProtocolError, "RFC 6455 §5.5.1", "close payload of one byte");
    internal static readonly ProtocolViolation InvalidCloseCode = new(CloseCode.ProtocolError, "RFC 6455 §7.4", "invalid close code");
    internal static readonly ProtocolViolation InvalidCloseReason = new(CloseCode.InvalidPayloadData, "RFC 6455 §5.5.1", "close reason is not UTF-8");

    /// <inheritdoc />
    public override string ToString() => $"{(int)CloseCode} {Reason} ({Section})";
}
