using System.Diagnostics.CodeAnalysis;

namespace Shockwave;

public sealed partial class WebSocketConnection
{
    /// <summary>Gets the messages that wait for pull reads; <see langword="null"/> where a handler gets them.</summary>
    internal MessageReads? Reads
    {
        get => Volatile.Read(ref _extras)?.Reads;
        set => Extras.Reads = value;
    }

    /// <summary>Reads the next message into an array of its own.</summary>
    /// <param name="cancellationToken">Ends the wait. The connection, and a message that has half arrived, stay as they are.</param>
    /// <returns>The message; after a proper close, each time, one with <see cref="MessageType.Close"/>.</returns>
    /// <exception cref="ConnectionClosedException">The connection ended abnormally, and every message received before was read.</exception>
    /// <exception cref="InvalidOperationException">A handler gets the messages, or another read is under way.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <remarks>The caller resumes on the thread pool. Nothing but the message's array is allocated.</remarks>
    public ValueTask<ReceivedMessage> ReadMessageAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfPushed();
        return Reads.ReadAsync(cancellationToken);
    }

    /// <summary>Reads the next message into the caller's memory.</summary>
    /// <param name="destination">Receives the whole payload.</param>
    /// <param name="cancellationToken">Ends the wait. The connection, and a message that has half arrived, stay as they are.</param>
    /// <returns>The type and the length; after a proper close, each time, <see cref="MessageType.Close"/> and 0.</returns>
    /// <exception cref="MessageTooBigException"><paramref name="destination"/> is too small; the message can still be read.</exception>
    /// <exception cref="ConnectionClosedException">The connection ended abnormally, and every message received before was read.</exception>
    /// <exception cref="InvalidOperationException">A handler gets the messages, or another read is under way.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <remarks>The caller resumes on the thread pool. Nothing is allocated.</remarks>
    public ValueTask<MessageReadResult> ReadMessageIntoAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ThrowIfPushed();
        return Reads.ReadIntoAsync(destination, cancellationToken);
    }

    [MemberNotNull(nameof(Reads))]
    private void ThrowIfPushed()
    {
        if (Reads is null)
        {
            throw new InvalidOperationException(
                "A handler gets this connection's messages, so they cannot be read as well: a message would go to either by chance. "
                + "Map the endpoint with Func<WebSocketConnection, CancellationToken, Task> to read.");
        }
    }
}
