using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.Interop.Serving;

/// <summary>A connection as a socket, which reads only when it is told to.</summary>
internal sealed class DrainingClient : IDisposable
{
    private const int TCP_MAXSEG = 2;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _header = new byte[4];

    /// <param name="server">Where to connect.</param>
    /// <param name="path">The endpoint.</param>
    /// <param name="isNarrow">Whether the kernel may keep only little for it, so that it is the server that has to.</param>
    public static async Task<DrainingClient> OpenAsync(ServeProcess server, string path, bool isNarrow)
    {
        var client = new DrainingClient();
        if (isNarrow)
        {
            // The server's kernel makes its buffer a multiple of the segment, which is 64 KiB on loopback.
            Span<byte> size = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(size, 536);
            client._socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TCP_MAXSEG, size);
            client._socket.ReceiveBufferSize = 4096;
        }

        await client._socket.ConnectAsync(IPAddress.Loopback, server.Page.Port);
        await client.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /{path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
        var head = new List<byte>();
        while (head is not [.., 13, 10, 13, 10])
        {
            head.AddRange(await client.ReadAsync(1));
        }

        Assert.StartsWith("HTTP/1.1 101", Encoding.ASCII.GetString([.. head]), StringComparison.Ordinal);
        return client;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes)..];
        }
    }

    /// <summary>Reads a frame with at most 65535 bytes of payload.</summary>
    public async Task<(int First, byte[] Payload)> ReadFrameAsync()
    {
        await ReadAsync(_header.AsMemory(0, 2));
        int first = _header[0];
        int length = _header[1];
        if (length == 126)
        {
            await ReadAsync(_header.AsMemory(0, 2));
            length = BinaryPrimitives.ReadUInt16BigEndian(_header);
        }

        return (first, await ReadAsync(length));
    }

    /// <summary>Answers the Close frame that was read, and reads the end of the connection.</summary>
    public async Task LeaveAsync()
    {
        await SendAsync(RawFrame.Masked(0x88, RawFrame.ClosePayload(1012)));
        Assert.Equal(0, await _socket.ReceiveAsync(_header));
    }

    public void Dispose() => _socket.Dispose();

    private async Task<byte[]> ReadAsync(int count)
    {
        byte[] bytes = new byte[count];
        await ReadAsync(bytes);
        return bytes;
    }

    private async Task ReadAsync(Memory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int received = await _socket.ReceiveAsync(bytes);
            Assert.True(received > 0, "The server closed the connection in the middle of it.");
            bytes = bytes[received..];
        }
    }
}
