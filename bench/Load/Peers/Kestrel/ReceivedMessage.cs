using System.Buffers;
using System.Net.WebSockets;

namespace Shockwave.Load.Peers.Kestrel;

/// <summary>A connection's message as it comes in, in a pooled buffer that grows to the largest.</summary>
internal sealed class ReceivedMessage : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4096);

    public Memory<byte> Content { get; private set; }

    public WebSocketMessageType Type { get; private set; }

    /// <summary>Returns false when the client closes.</summary>
    public async ValueTask<bool> ReceiveAsync(WebSocket socket, CancellationToken aborted)
    {
        int length = 0;
        while (true)
        {
            var result = await socket.ReceiveAsync(_buffer.AsMemory(length), aborted);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return false;
            }

            length += result.Count;
            if (result.EndOfMessage)
            {
                Content = _buffer.AsMemory(0, length);
                Type = result.MessageType;
                return true;
            }

            if (length == _buffer.Length)
            {
                Grow();
            }
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void Grow()
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.CopyTo(larger.AsSpan());
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
