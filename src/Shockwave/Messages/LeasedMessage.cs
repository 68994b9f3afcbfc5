using System.Text;

namespace Shockwave;

/// <summary>A received message in a pooled buffer that the holder owns until <see cref="Dispose"/>.</summary>
/// <remarks>
/// Not thread-safe; may be handed from thread to thread. An async handler's lease is disposed by Shockwave after the handler's task,
/// unless the handler took it over with <see cref="Detach"/>.
/// </remarks>
public sealed class LeasedMessage : IDisposable
{
    private StoredMessage _message;
    private bool _isDisposed;

    internal LeasedMessage(in StoredMessage message)
    {
        _message = message;
        Type = message.Type;
    }

    /// <summary>Gets the type: <see cref="MessageType.Text"/> or <see cref="MessageType.Binary"/>.</summary>
    public MessageType Type { get; }

    /// <summary>Gets the whole payload. Valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The lease was given back, or taken over by <see cref="Detach"/>.</exception>
    public ReadOnlyMemory<byte> Payload
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _message.Payload;
        }
    }

    /// <summary>Decodes the payload as text. Allocates the string.</summary>
    /// <returns>The text.</returns>
    /// <exception cref="ObjectDisposedException">The lease was given back, or taken over by <see cref="Detach"/>.</exception>
    public string GetText() => Encoding.UTF8.GetString(Payload.Span);

    /// <summary>Transfers the payload to a new lease; this one becomes empty, and whoever disposes it frees nothing.</summary>
    /// <returns>A lease that the caller must dispose.</returns>
    /// <exception cref="ObjectDisposedException">The lease was given back or taken over before.</exception>
    public LeasedMessage Detach()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _isDisposed = true;
        return new LeasedMessage(_message);
    }

    /// <summary>Gives the buffer back. Harmless when repeated.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _message.Return();
            _message = default;
        }
    }
}
