using System.Net;
using System.Net.Sockets;

namespace Shockwave.Load.Resources;

/// <summary>A connection that an opening handshake was made on, as a socket.</summary>
internal sealed class Client(Socket socket) : IDisposable
{
    public Socket Socket { get; } = socket;

    public static async Task<Client> OpenAsync(int port, string path)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
        byte[] head = new byte[4096];
        int length = 0;
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            int received = await socket.ReceiveAsync(head.AsMemory(length));
            length += received > 0 ? received : throw new InvalidOperationException("There was no answer to the opening handshake.");
        }

        return new Client(socket);
    }

    public void Dispose() => Socket.Dispose();
}
