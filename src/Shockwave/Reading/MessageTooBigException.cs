namespace Shockwave;

/// <summary>A message does not fit into the buffer that the caller gave. It stays readable: read again with a larger one.</summary>
public sealed class MessageTooBigException : ShockwaveException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="messageBytes">The message's length.</param>
    /// <param name="bufferBytes">The buffer's length.</param>
    public MessageTooBigException(int messageBytes, int bufferBytes)
        : base($"The message has {messageBytes} bytes and the buffer {bufferBytes}. It can still be read with a larger buffer.")
    {
        MessageBytes = messageBytes;
        BufferBytes = bufferBytes;
    }

    /// <summary>Gets the message's length in bytes: what the next buffer must hold at least.</summary>
    public int MessageBytes { get; }

    /// <summary>Gets the length of the buffer that was too small, in bytes.</summary>
    public int BufferBytes { get; }
}
