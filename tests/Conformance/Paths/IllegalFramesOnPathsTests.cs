using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>Every illegal frame, sent to a whole server over each path.</summary>
public sealed class IllegalFramesOnPathsTests(LimitedPathServers servers, ITestOutputHelper output) : IClassFixture<LimitedPathServers>
{
    // So many connections are open at a time.
    private const int BatchSize = 900;

    // Every boundary of a short vector; of a longer one those of its first headers, which are at most 14 bytes.
    private const int MaxCuts = 18;

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(5);

    // A legal message before, which counts; and a ping and a message behind, which must not.
    private static readonly byte[] _before = Masked(0x81, "before");
    private static readonly byte[] _behind = [.. Masked(0x89, "ping"), .. Masked(0x81, "behind"), .. Masked(0x88)];

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public Task IllegalFrame_InOnePiece(ServerPath path) =>
        RunAsync(path, vector => [[_before.Length + vector.Bytes.Length + _behind.Length]]);

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public Task IllegalFrame_ByteByByte(ServerPath path) =>
        RunAsync(path, vector => [Chunking.Singles(_before.Length + vector.Bytes.Length + _behind.Length)]);

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public Task IllegalFrame_CutAtEachBoundary(ServerPath path) => RunAsync(path, vector =>
        Enumerable.Range(0, Math.Min(vector.Bytes.Length, MaxCuts) + 1).Select(cut => (int[])[_before.Length + cut, vector.Bytes.Length - cut + _behind.Length]));

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public Task IllegalFrame_InRandomPieces(ServerPath path)
    {
        var random = new Random(TestSeed.Choose(output.WriteLine));
        return RunAsync(path, vector => Enumerable.Range(0, 2).Select(_ => Chunking.Split(_before.Length + vector.Bytes.Length + _behind.Length, random)));
    }

    private async Task RunAsync(ServerPath path, Func<IllegalFrame, IEnumerable<int[]>> cut)
    {
        var server = await servers.GetAsync(path);
        var cases = IllegalFrames.All.SelectMany(vector => cut(vector).Select(chunks => (vector, chunks))).ToList();
        output.WriteLine($"{cases.Count} connections");
        foreach (var batch in cases.Chunk(BatchSize))
        {
            await RunAsync(server, batch).WaitAsync(_limit);
        }

        server.AssertPath();
    }

    private static async Task RunAsync(PathServer server, IReadOnlyList<(IllegalFrame Vector, int[] Chunks)> cases)
    {
        var clients = await Task.WhenAll(cases.Select(each => server.OpenAsync(headers: each.Vector.IsCompressionOn ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "")));
        await LockStep.SendAsync(server, [.. cases.Zip(clients, (each, client) =>
            new ChunkedSend(client, [.. _before, .. each.Vector.Bytes, .. _behind], each.Chunks))]);
        await Task.WhenAll(cases.Zip(clients, (each, client) => AssertRefusedAsync(each.Vector, server, client)));
    }

    private static async Task AssertRefusedAsync(IllegalFrame vector, PathServer server, WireClient client)
    {
        using var ended = client;
        try
        {
            await client.AssertFrameAsync(0x81, "before");
            await client.AssertCloseAsync((int)vector.Code);

            // RFC 6455 §7.1.1: over TCP the server is the first to end. Elsewhere it waits for the client, which is fair as well.
            if (!server.IsTls || await client.TryEndSendingAsync())
            {
                await client.AssertEndAsync();
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{vector.Name}: {e.Message}", e);
        }
    }
}
