using System.Net.Sockets;
using System.Text;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>What a peer sees of the end of its connection on a real network: the Close frame, and then FIN, not a reset.</summary>
public sealed class CloseOverTcpTests(KestrelServer server) : IClassFixture<KestrelServer>
{
    private const int SentOnBytes = 1024 * 1024;

    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    public static TheoryData<string, byte[], int> Violations => new()
    {
        { "reserved opcode", Masked(0x83), 1002 },
        { "not masked", Unmasked(0x81, "hello"), 1002 },
        { "text that is not UTF-8", Masked(0x81, [0xFF]), 1007 },
        { "frame that is too big", MaskedHeader(0x82, 1L << 40), 1009 },
        { "bad close code", Masked(0x88, RawFrame.ClosePayload(1006)), 1002 },
    };

    // The socket's buffers hold less than what is sent on, so a server that closes at once would reset the connection.
    [Theory]
    [MemberData(nameof(Violations))]
    public async Task ViolatorThatGoesOnSending_GetsTheCodeAndThenTheEnd(string name, byte[] violation, int code)
    {
        using var socket = await OpenAsync().WaitAsync(_limit);

        await SendAsync(socket, [.. Masked(0x81, "before"), .. violation, .. new byte[SentOnBytes]]).WaitAsync(_limit);
        byte[] received = await ReceiveToEndAsync(socket).WaitAsync(_limit);

        byte[] answer = Unmasked(0x81, "before");
        Assert.Equal(answer, received[..answer.Length]);
        Assert.Equal(0x88, received[answer.Length]);
        Assert.Equal(received.Length, answer.Length + 2 + received[answer.Length + 1]);
        Assert.True(code == (received[answer.Length + 2] << 8 | received[answer.Length + 3]), name);
    }

    [Fact]
    public async Task PeerThatCloses_GetsTheAnswerAndThenTheEnd()
    {
        using var socket = await OpenAsync().WaitAsync(_limit);
        await SendAsync(socket, [.. Masked(0x81, "before"), .. Masked(0x88, RawFrame.ClosePayload(1000))]).WaitAsync(_limit);
        byte[] received = await ReceiveToEndAsync(socket).WaitAsync(_limit);
        Assert.Equal([.. Unmasked(0x81, "before"), .. Unmasked(0x88, RawFrame.ClosePayload(1000))], received);
    }

    private async Task<Socket> OpenAsync()
    {
        var socket = await server.ConnectAsync();
        await SendAsync(socket, Encoding.ASCII.GetBytes(
            $"GET /echo HTTP/1.1\r\nHost: {server.EndPoint}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        var response = new StringBuilder();
        byte[] one = new byte[1];
        while (!response.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.Equal(1, await socket.ReceiveAsync(one));
            response.Append((char)one[0]);
        }

        Assert.StartsWith("HTTP/1.1 101 ", response.ToString());
        return socket;
    }

    private static async Task SendAsync(Socket socket, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent));
        }
    }

    // A reset would throw here: the end must be a proper one.
    private static async Task<byte[]> ReceiveToEndAsync(Socket socket)
    {
        var received = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer) is var count and > 0)
        {
            received.Write(buffer, 0, count);
        }

        return received.ToArray();
    }
}
