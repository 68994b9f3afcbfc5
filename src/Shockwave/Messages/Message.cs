using System.Text;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>A received message, lent for the duration of one handler call.</summary>
/// <remarks>
/// The payload lies in the owner's receive buffer and is overwritten after the call; <see cref="Lease"/> keeps it longer.
/// As a <c>ref struct</c> it cannot be stored or used after an <c>await</c>.
/// </remarks>
public readonly ref struct Message
{
    private readonly MessageReader _reader;

    internal Message(ReadOnlySpan<byte> payload, MessageType type, MessageReader reader)
    {
        Payload = payload;
        Type = type;
        _reader = reader;
    }

    /// <summary>Gets the whole payload, unmasked and inflated. Valid during the handler call.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Gets the type: <see cref="MessageType.Text"/> or <see cref="MessageType.Binary"/>.</summary>
    public MessageType Type { get; }

    /// <summary>Decodes the payload as text. Allocates the string.</summary>
    /// <returns>The text. Binary payloads that are not UTF-8 yield replacement characters.</returns>
    public string GetText() => Encoding.UTF8.GetString(Payload);

    /// <summary>Keeps the message beyond the handler call. Copies at most once, and not at all where the message was collected anyway.</summary>
    /// <returns>A message that the caller owns and must dispose; <see cref="Payload"/> may lie in it from then on, and ends with it.</returns>
    public LeasedMessage Lease() => new(Store());

    internal StoredMessage Store() => StoredMessage.Take(_reader, Payload, Type);
}
