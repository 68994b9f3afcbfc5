using System.Globalization;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>Opening handshakes over each path that speaks HTTP/1.1, in whatever segments they come.</summary>
public sealed class HandshakeTests(PathServers servers, ITestOutputHelper output) : IClassFixture<PathServers>
{
    private const int RandomSplits = 50;

    // The same parser is behind every path; what brings the bytes differs.
    private const int RandomSplitsElsewhere = 5;

    // Enough to keep two cores busy while others wait for the server.
    private const int ParallelConnections = 32;

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    // What a legal handshake may look like as well: RFC 6455 §4.2.1 and RFC 9110.
    private static readonly Dictionary<string, string> _legal = new()
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

    public static TheoryData<ServerPath, string> IllegalNames =>
        [.. from path in PathServers.Http1 from vector in IllegalHandshakes.All select (path.Data, vector.Name)];

    public static TheoryData<ServerPath, string> LegalNames => [.. from path in PathServers.Http1 from name in _legal.Keys select (path.Data, name)];

    [Theory]
    [MemberData(nameof(IllegalNames))]
    public async Task IllegalHandshake_GetsItsStatusAndAClosedConnection(ServerPath path, string name)
    {
        var server = await servers.GetAsync(path);
        var vector = IllegalHandshakes.All.Single(each => each.Name == name);
        byte[] request = WithScheme(server, vector.Request(server.EndPoint.ToString()));
        await ForEachChunkingAsync(path, request, async chunks =>
        {
            string response = await ExchangeAsync(server, request, chunks);
            Assert.Equal(vector.ExpectedStatus, GetStatus(response));
        });
    }

    [Theory]
    [MemberData(nameof(LegalNames))]
    public async Task LegalHandshake_IsAcceptedWithWhatComesBehindIt(ServerPath path, string name)
    {
        var server = await servers.GetAsync(path);
        string text = _legal[name].Replace("{host}", server.EndPoint.ToString(), StringComparison.Ordinal);
        byte[] request = WithScheme(server, Encoding.Latin1.GetBytes(text));
        byte[] stream = [.. request, .. RawFrame.Masked(0x81, "behind"), .. RawFrame.Masked(0x88, RawFrame.ClosePayload(1000))];
        await ForEachChunkingAsync(path, stream, async chunks =>
        {
            string response = await ExchangeAsync(server, stream, chunks);
            Assert.Equal(101, GetStatus(response));
            Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", response);
            Assert.EndsWith("\r\n\r\n\u0081\u0006behind\u0088\u0002\u0003\u00E8", response);
        });
        server.AssertPath();
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

    // The table was written for http: behind TLS the own origin is https, and the same one by http is a foreign one.
    private static byte[] WithScheme(PathServer server, byte[] request)
    {
        string text = Encoding.Latin1.GetString(request);
        return !server.IsTls ? request : Encoding.Latin1.GetBytes(text
            .Replace("https://", "\u0001://", StringComparison.Ordinal)
            .Replace("http://", "https://", StringComparison.Ordinal)
            .Replace("HTTP://", "HTTPS://", StringComparison.Ordinal)
            .Replace("\u0001://", "http://", StringComparison.Ordinal));
    }

    private Task ForEachChunkingAsync(ServerPath path, byte[] bytes, Func<int[], Task> test)
    {
        int splits = path == ServerPath.Epoll ? RandomSplits : RandomSplitsElsewhere;
        var chunkings = Chunking.Of(bytes.Length, splits, new Random(TestSeed.Choose(output.WriteLine))).ToList();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = ParallelConnections };
        return Parallel.ForEachAsync(chunkings, parallel, async (chunks, cancelled) => await test(chunks).WaitAsync(_limit, cancelled));
    }

    // All that the server sends until it closes. It may close before it has everything, as it need not read on after a refusal.
    private static async Task<string> ExchangeAsync(PathServer server, byte[] request, int[] chunks)
    {
        using var client = await server.ConnectAsync();
        var sending = SendAsync(client, request, chunks);
        string response = await client.ReadToEndAsync();
        client.Dispose();
        await sending;
        return response;
    }

    private static async Task SendAsync(WireClient client, byte[] bytes, int[] chunks)
    {
        try
        {
            await client.SendAsync(bytes, chunks);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The server has refused and closed; what it said is what counts.
        }
    }
}
