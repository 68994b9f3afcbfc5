using System.Net.WebSockets;

namespace Shockwave.Micro;

/// <summary>System.Net.WebSockets over a stream in memory: what the frame and connection benchmarks are measured against.</summary>
internal sealed class SystemWebSocket(Stream stream, bool isServer) : IDisposable
{
    private readonly WebSocket _socket =
        WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = isServer, KeepAliveInterval = TimeSpan.Zero });

    /// <summary>Receives one message.</summary>
    /// <returns>Its length.</returns>
    public int Receive(byte[] destination)
    {
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult result = Finished(_socket.ReceiveAsync(destination.AsMemory(length), default));
            length += result.Count;
            if (result.EndOfMessage)
            {
                return length;
            }
        }
    }

    /// <summary>Sends one message.</summary>
    public void Send(byte[] payload) => Finished(_socket.SendAsync(payload.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, default));

    public void Dispose() => _socket.Dispose();

    private static T Finished<T>(ValueTask<T> task) =>
        task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("A stream in memory never makes anybody wait.");

    private static void Finished(ValueTask task)
    {
        if (!task.IsCompleted)
        {
            throw new InvalidOperationException("A stream in memory never makes anybody wait.");
        }

        task.GetAwaiter().GetResult();
    }
}
