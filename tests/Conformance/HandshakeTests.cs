using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>Opening handshakes over TCP to stock Kestrel, in whatever segments they come.</summary>
public sealed class HandshakeTests(KestrelServer server, ITestOutputHelper output) : IClassFixture<KestrelServer>
{
    private const int RandomSplits = 50;

    // Enough to keep two cores busy while others wait for the server.
    private const int ParallelConnections = 32;

    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    public static TheoryData<string> IllegalNames => [.. IllegalHandshakes.All.Select(vector => vector.Name)];

    // What a legal handshake may look like as well: RFC 6455 §4.2.1 and RFC 9110.
    public static TheoryData<string, string> LegalRequests => new()
    {
        { "plain", Request() },
        { "header names in lower case", Request().Replace("Sec-WebSocket-Key", "sec-websocket-key").Replace("Upgrade:", "upgrade:") },
        { "tokens in upper case", Request(upgrade: "WebSocket", connection: "UPGRADE") },
        { "list of connection options", Request(connection: "keep-alive, Upgrade") },
        { "white space around values", Request(version: "  13\t", key: " dGhlIHNhbXBsZSBub25jZQ==  ") },
        { "origin of the server itself", Request("Origin: http://{host}") },
        { "query", Request(target: "/echo?a=b") },
        { "cookies and unknown headers", Request("Cookie: a=b", "X-Unknown: \"x, y\"") },
        { "unknown extension", Request("Sec-WebSocket-Extensions: x-unknown; a=b") },
        { "compression", Request("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits") },
        { "extensions that are not well formed", Request("Sec-WebSocket-Extensions: a; b=\"") },
        { "unknown subprotocol", Request("Sec-WebSocket-Protocol: chat, superchat") },
        { "Content-Length of 0", Request("Content-Length: 0") },
    };

    [Theory]
    [MemberData(nameof(IllegalNames))]
    public async Task IllegalHandshake_GetsItsStatusAndAClosedConnection(string name)
    {
        var vector = IllegalHandshakes.All.Single(each => each.Name == name);
        byte[] request = vector.Request(server.EndPoint.ToString());
        await ForEachChunkingAsync(request, async chunks =>
        {
            using var socket = await server.ConnectAsync();
            string response = await ExchangeAsync(socket, request, chunks);
            Assert.Equal(vector.ExpectedStatus, GetStatus(response));
        });
    }

    [Theory]
    [MemberData(nameof(LegalRequests))]
    public async Task LegalHandshake_IsAccepted(string name, string text)
    {
        byte[] request = Encoding.Latin1.GetBytes(text.Replace("{host}", server.EndPoint.ToString(), StringComparison.Ordinal));
        byte[] close = RawFrame.Masked(0x88, RawFrame.ClosePayload(1000));
        await ForEachChunkingAsync([.. request, .. close], async chunks =>
        {
            using var socket = await server.ConnectAsync();
            string response = await ExchangeAsync(socket, [.. request, .. close], chunks);
            Assert.True(GetStatus(response) == 101, name);
            Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", response);
            Assert.EndsWith("\r\n\r\n\u0088\u0002\u0003\u00E8", response);
        });
    }

    private static string Request(params string[] lines) => Request(upgrade: "websocket", lines: lines);

    private static string Request(
        string upgrade = "websocket", string connection = "Upgrade", string version = "13", string key = "dGhlIHNhbXBsZSBub25jZQ==",
        string target = "/echo", params string[] lines) => string.Join(
            "\r\n",
            [
                $"GET {target} HTTP/1.1", "Host: {host}", $"Upgrade: {upgrade}", $"Connection: {connection}",
                $"Sec-WebSocket-Version: {version}", $"Sec-WebSocket-Key: {key}", .. lines, "", "",
            ]);

    private static int GetStatus(string response) =>
        response.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(response.AsSpan(9, 3), CultureInfo.InvariantCulture) : 0;

    private Task ForEachChunkingAsync(byte[] bytes, Func<int[], Task> test)
    {
        var chunkings = Chunking.Of(bytes.Length, RandomSplits, new Random(TestSeed.Choose(output.WriteLine))).ToList();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = ParallelConnections };
        return Parallel.ForEachAsync(chunkings, parallel, async (chunks, cancelled) => await test(chunks).WaitAsync(_limit, cancelled));
    }

    // All that the server sends until it closes. It may close before it has everything, as it need not read on after a refusal.
    private static async Task<string> ExchangeAsync(Socket socket, byte[] request, int[] chunks)
    {
        var sending = SendAsync(socket, request, chunks);
        var response = new StringBuilder();
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer) is var count and > 0)
            {
                response.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Closed while we were still sending.
        }

        socket.Close();
        await sending;
        return response.ToString();
    }

    private static async Task SendAsync(Socket socket, byte[] bytes, int[] chunks)
    {
        int position = 0;
        try
        {
            foreach (int chunk in chunks)
            {
                await socket.SendAsync(bytes.AsMemory(position, chunk));
                position += chunk;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The server has refused and closed; what it said is what counts.
        }
    }
}
