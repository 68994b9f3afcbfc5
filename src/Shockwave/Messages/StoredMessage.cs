using Shockwave.Protocol;

namespace Shockwave;

/// <summary>A message in a pooled buffer of its own. Whoever holds it returns the buffer, once.</summary>
internal readonly record struct StoredMessage(byte[] Buffer, int Length, MessageType Type)
{
    public ReadOnlyMemory<byte> Payload => Buffer.AsMemory(0, Length);

    /// <summary>Takes a message that was just read: its buffer if it has one, else a copy.</summary>
    public static StoredMessage Take(MessageReader reader, ReadOnlySpan<byte> payload, MessageType type)
    {
        if (!reader.TryDetachMessage(out byte[]? buffer))
        {
            buffer = BufferPool.Shared.Rent(payload.Length);
            payload.CopyTo(buffer);
        }

        return new StoredMessage(buffer!, payload.Length, type);
    }

    public void Return() => BufferPool.Shared.Return(Buffer);
}
