using System.Buffers.Binary;
using System.Text;

namespace Shockwave.Protocol;

/// <summary>The payload of a Close frame: a code and a reason, or nothing (RFC 6455 §5.5.1). Stateless; safe from any thread.</summary>
public static class ClosePayload
{
    /// <summary>The longest reason, in UTF-8 bytes: a control frame's 125 less the code.</summary>
    public const int MaxReasonBytes = FrameCodec.MaxControlPayloadBytes - sizeof(ushort);

    /// <summary>Says whether a close code may stand in a Close frame (RFC 6455 §7.4, IANA registry).</summary>
    /// <param name="code">Any value.</param>
    /// <returns><see langword="true"/> for 1000 to 1003, 1007 to 1014 and 3000 to 4999.</returns>
    /// <remarks>The same codes may be received and sent. 1005, 1006 and 1015 only report how a connection ended.</remarks>
    public static bool IsValidOnWire(CloseCode code) =>
        (ushort)code is >= 1000 and <= 1003 or >= 1007 and <= 1014 or >= 3000 and <= 4999;

    /// <summary>Decodes the payload of a received Close frame, already unmasked.</summary>
    /// <param name="payload">0 to 125 bytes.</param>
    /// <param name="code">The code received; <see cref="CloseCode.NoStatusReceived"/> when the payload is empty or refused.</param>
    /// <param name="reason">The reason received; empty when there is none.</param>
    /// <returns><see langword="null"/> when the payload is legal; otherwise what is wrong with it.</returns>
    public static ProtocolViolation? Decode(ReadOnlySpan<byte> payload, out CloseCode code, out string reason)
    {
        code = CloseCode.NoStatusReceived;
        reason = "";
        if (payload.IsEmpty)
        {
            return null;
        }

        if (payload.Length == 1)
        {
            return ProtocolViolation.CloseBodyTooShort;
        }

        var received = (CloseCode)BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (!IsValidOnWire(received))
        {
            return ProtocolViolation.InvalidCloseCode;
        }

        if (!Utf8Validator.IsValid(payload[2..]))
        {
            return ProtocolViolation.InvalidCloseReason;
        }

        code = received;
        reason = payload.Length == 2 ? "" : Encoding.UTF8.GetString(payload[2..]);
        return null;
    }

    /// <summary>Encodes the payload of a Close frame.</summary>
    /// <param name="destination">At least 125 bytes.</param>
    /// <param name="code">A code for which <see cref="IsValidOnWire"/> is true, or <see cref="CloseCode.NoStatusReceived"/> for an empty payload.</param>
    /// <param name="reason">At most <see cref="MaxReasonBytes"/> in UTF-8.</param>
    /// <returns>The bytes written, 0 to 125.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="code"/> must not be on the wire.</exception>
    /// <exception cref="ArgumentException"><paramref name="reason"/> is too long, is not well-formed UTF-16, or has no code before it.</exception>
    public static int Encode(Span<byte> destination, CloseCode code, ReadOnlySpan<char> reason)
    {
        Validate(code, reason);
        if (code == CloseCode.NoStatusReceived)
        {
            return 0;
        }

        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)code);
        return 2 + Encoding.UTF8.GetBytes(reason, destination[2..]);
    }

    /// <summary>Checks a code and a reason as <see cref="Encode"/> would, before anything is sent.</summary>
    /// <param name="code">The code.</param>
    /// <param name="reason">The reason.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="code"/> must not be on the wire.</exception>
    /// <exception cref="ArgumentException"><paramref name="reason"/> is too long, is not well-formed UTF-16, or has no code before it.</exception>
    public static void Validate(CloseCode code, ReadOnlySpan<char> reason)
    {
        if (code == CloseCode.NoStatusReceived)
        {
            if (!reason.IsEmpty)
            {
                throw new ArgumentException("A close reason needs a close code before it (RFC 6455 §5.5.1).", nameof(reason));
            }

            return;
        }

        if (!IsValidOnWire(code))
        {
            throw new ArgumentOutOfRangeException(nameof(code), (int)code, "May be sent: 1000 to 1003, 1007 to 1014 and 3000 to 4999 (RFC 6455 §7.4).");
        }

        int byteCount;
        try
        {
            byteCount = _strictUtf8.GetByteCount(reason);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("The close reason is not well-formed UTF-16.", nameof(reason), e);
        }

        if (byteCount > MaxReasonBytes)
        {
            throw new ArgumentException($"The close reason has {byteCount} bytes in UTF-8; at most {MaxReasonBytes} fit (RFC 6455 §5.5).", nameof(reason));
        }
    }

    private static readonly UTF8Encoding _strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
