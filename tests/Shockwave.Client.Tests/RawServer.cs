using System.Net;
using System.Net.Sockets;
using System.Text;
using Shockwave.Protocol;

namespace Shockwave.Client.Tests;

/// <summary>A server that a test plays byte by byte.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public RawServer() => _listener.Start();

    public Uri Uri => new($"ws://{_listener.LocalEndpoint}/");

    /// <summary>Accepts a client and reads its request.</summary>
    public async Task<RawConnection> AcceptAsync()
    {
        var client = await _listener.AcceptTcpClientAsync();
        client.NoDelay = true;
        var connection = new RawConnection(client);
        await connection.ReadRequestAsync();
        return connection;
    }

    public void Dispose() => _listener.Dispose();
}

/// <summary>A connection of the <see cref="RawServer"/>, its request read.</summary>
internal sealed class RawConnection(TcpClient client) : IDisposable
{
    private readonly NetworkStream _stream = client.GetStream();

    public string Request { get; private set; } = "";

    /// <summary>Gets the head of the answer that accepts the request.</summary>
    public byte[] Answer
    {
        get
        {
            string key = Request.Split("\r\n").Single(line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.Ordinal))[19..];
            return Encoding.ASCII.GetBytes(
                $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {AcceptKey.Compute(key)}\r\n\r\n");
        }
    }

    public async Task ReadRequestAsync()
    {
        byte[] bytes = new byte[4096];
        while (!Request.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int count = await _stream.ReadAsync(bytes);
            Assert.NotEqual(0, count);
            Request += Encoding.ASCII.GetString(bytes, 0, count);
        }
    }

    public ValueTask SendAsync(params byte[] bytes) => _stream.WriteAsync(bytes);

    /// <summary>Reads until the client ends or resets the connection.</summary>
    public async Task ReadToEndAsync()
    {
        try
        {
            byte[] bytes = new byte[4096];
            while (await _stream.ReadAsync(bytes) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end, too.
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        client.Dispose();
    }
}
