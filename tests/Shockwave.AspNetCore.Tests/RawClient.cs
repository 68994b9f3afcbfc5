using System.Net;
using System.Net.Sockets;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

/// <summary>A socket and nothing else: it sends what it is told and shows what comes.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public static async Task<RawClient> ConnectAsync(TestApplication app)
    {
        var client = new RawClient();
        await client._socket.ConnectAsync(IPAddress.Loopback, new Uri(app.Address).Port);
        return client;
    }

    /// <summary>The opening handshake of RFC 6455 §1.2.</summary>
    public static string Handshake(string path, string headers = "") =>
        $"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n";

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes)..];
        }
    }

    /// <summary>Reads until the text is there.</summary>
    /// <returns>Everything up to its end.</returns>
    public async Task<string> ReadToAsync(string end)
    {
        var text = new StringBuilder();
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            text.Append((char)(await ReadAsync(1))[0]);
        }

        return text.ToString();
    }

    public async Task<byte[]> ReadAsync(int count)
    {
        byte[] bytes = new byte[count];
        int position = 0;
        while (position < count)
        {
            int received = await _socket.ReceiveAsync(bytes.AsMemory(position));
            Assert.True(received > 0, $"The server closed after {position} of {count} bytes.");
            position += received;
        }

        return bytes;
    }

    /// <summary>Sends an opening handshake and reads the response's head.</summary>
    public async Task<string> UpgradeAsync(string path, string headers = "")
    {
        await SendAsync(Handshake(path, headers));
        return await ReadToAsync("\r\n\r\n");
    }

    /// <summary>Reads a frame with fewer than 126 bytes of payload.</summary>
    public async Task<(int First, string Payload)> ReadFrameAsync()
    {
        byte[] header = await ReadAsync(2);
        return (header[0], Encoding.UTF8.GetString(await ReadAsync(header[1])));
    }

    /// <summary>Sends a text message and reads the frame that answers it.</summary>
    public async Task<string> AskAsync(string text)
    {
        await SendAsync(RawFrame.Masked(0x81, text));
        return (await ReadFrameAsync()).Payload;
    }

    /// <summary>Reads to the end, proper or not.</summary>
    /// <returns>What still came.</returns>
    public async Task<byte[]> ReadToEndAsync()
    {
        var all = new List<byte>();
        byte[] bytes = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(bytes) is var received and > 0)
            {
                all.AddRange(bytes.AsSpan(0, received));
            }
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }

        return [.. all];
    }

    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Resets the connection.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();
}
