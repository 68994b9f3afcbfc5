using System.Text;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>Legal frames over each path: what a handler of each kind makes of them, however they are cut.</summary>
public sealed class MessagesOnPathsTests(LargePathServers servers, ITestOutputHelper output) : IClassFixture<LargePathServers>
{
    private const int FinelyCutBytes = 4096;

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    // Around every border: of the lengths' encodings, of the buffers, of what one turn receives.
    private static readonly int[] _sizes =
        [0, 1, 2, 125, 126, 127, 128, 2047, 2048, 2049, 4095, 4096, 4097, 16383, 16384, 65521, 65535, 65536, 65537, 131072, 300_000, LargePathServers.MaxMessageBytes];

    public static TheoryData<ServerPath, string> Endpoints =>
        [.. from path in Enum.GetValues<ServerPath>() from endpoint in new[] { "/echo", "/async", "/pull" } select (path, endpoint)];

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task MessagesOfEverySize_ComeBackInOrder(ServerPath path, string endpoint)
    {
        var server = await servers.GetAsync(path);
        var random = new Random(TestSeed.Choose(output.WriteLine));
        var messages = _sizes.SelectMany(size => (WireFrame[])[new(0x82, Bytes(size, random)), new(0x81, Text(size, random))]).ToList();
        byte[] stream = [.. messages.SelectMany(message => Masked(message.First, message.Payload))];
        int[][] chunkings = [[stream.Length], Even(stream.Length, 997), Even(stream.Length, 65537), Cut(stream.Length, random)];
        await Task.WhenAll(chunkings.Select(async chunks =>
        {
            using var client = await server.OpenAsync(endpoint);
            var sending = client.SendAsync(stream, chunks);
            foreach (var message in messages)
            {
                await client.AssertFrameAsync(message.First, message.Payload);
            }

            await sending;
            await AssertCleanEndAsync(client);
        })).WaitAsync(_limit);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task SmallMessages_ByteByByteAndCutAtEachBoundary(ServerPath path, string endpoint)
    {
        var server = await servers.GetAsync(path);
        byte[] stream = [.. Masked(0x81), .. Masked(0x82, [1]), .. Masked(0x01, "frag"), .. Masked(0x89, "ping"), .. Masked(0x80, "ment"), .. Masked(0x81, new string('m', 130))];
        int[][] chunkings = [Chunking.Singles(stream.Length), .. Enumerable.Range(1, stream.Length - 1).Select(cut => (int[])[cut, stream.Length - cut])];
        var clients = await Task.WhenAll(chunkings.Select(_ => server.OpenAsync(endpoint)));
        await LockStep.SendAsync(server, [.. clients.Zip(chunkings, (client, chunks) => new ChunkedSend(client, stream, chunks))]).WaitAsync(_limit);
        await Task.WhenAll(clients.Select(async client =>
        {
            using var ended = client;

            // A pong does not wait for a handler that takes its time, so its place is not the same everywhere.
            List<WireFrame> frames = [];
            for (int i = 0; i < 5; i++)
            {
                frames.Add((await client.ReadFrameAsync())!);
            }

            Assert.Equal("ping", Encoding.UTF8.GetString(Assert.Single(frames, frame => frame.First == 0x8A).Payload));
            Assert.Equal(
                ["81 ", "82 01", $"81 {Convert.ToHexString("fragment"u8)}", $"81 {Convert.ToHexString(Encoding.UTF8.GetBytes(new string('m', 130)))}"],
                frames.Where(frame => frame.First != 0x8A).Select(frame => frame.ToString()));
            await AssertCleanEndAsync(client);
        })).WaitAsync(_limit);
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task FragmentsWithPingsBetween_AreOneMessageAndEachPingIsAnswered(ServerPath path)
    {
        var server = await servers.GetAsync(path);
        var random = new Random(TestSeed.Choose(output.WriteLine));
        (int Fragments, int Size)[] shapes = [(1, 0), (2, 0), (3, 1), (7, 100), (100, 125), (1000, 1), (9, 70_000), (64, 16_384)];
        await Task.WhenAll(shapes.Select(async shape =>
        {
            using var client = await server.OpenAsync();
            byte[] payload = Bytes(shape.Fragments * shape.Size, random);
            var stream = new List<byte>();
            for (int i = 0; i < shape.Fragments; i++)
            {
                bool isLast = i == shape.Fragments - 1;
                stream.AddRange(Masked((i == 0 ? 0x02 : 0x00) | (isLast ? 0x80 : 0), payload.AsSpan(i * shape.Size, shape.Size)));
                stream.AddRange(isLast ? [] : Masked(0x89, $"{i}"));
            }

            var sending = client.SendAsync(stream.ToArray(), Cut(stream.Count, random));
            for (int i = 0; i < shape.Fragments - 1; i++)
            {
                await client.AssertFrameAsync(0x8A, $"{i}");
            }

            await client.AssertFrameAsync(0x82, payload);
            await sending;
            await AssertCleanEndAsync(client);
        })).WaitAsync(_limit);
    }

    // "κόσμε" and an emoji: each cut lies once inside a character, in another fragment or another chunk.
    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task TextCutInsideACharacter_IsStillText(ServerPath path)
    {
        var server = await servers.GetAsync(path);
        byte[] text = Encoding.UTF8.GetBytes("κόσμε 🂡 \0");
        var sends = new List<ChunkedSend>();
        for (int cut = 0; cut <= text.Length; cut++)
        {
            byte[] whole = Masked(0x81, text);
            byte[] fragments = [.. Masked(0x01, text.AsSpan(0, cut)), .. Masked(0x00), .. Masked(0x80, text.AsSpan(cut))];
            sends.Add(new ChunkedSend(await server.OpenAsync(), whole, [6 + cut, text.Length - cut]));
            sends.Add(new ChunkedSend(await server.OpenAsync(), fragments, Chunking.Singles(fragments.Length)));
        }

        // The last cut leaves nothing behind it.
        sends = [.. sends.Select(send => send with { Chunks = [.. send.Chunks.Where(chunk => chunk > 0)] })];
        await LockStep.SendAsync(server, sends).WaitAsync(_limit);
        foreach (var send in sends)
        {
            await send.Client.AssertFrameAsync(0x81, text).WaitAsync(_limit);
            send.Client.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task Pongs_CarryTheirPingsPayload_AndPongsAreNotAnswered(ServerPath path)
    {
        using var client = await (await servers.GetAsync(path)).OpenAsync();
        var random = new Random(TestSeed.Choose(output.WriteLine));
        byte[][] payloads = [.. ((int[])[0, 1, 4, 124, 125]).Select(size => Bytes(size, random))];
        byte[] stream = [.. payloads.SelectMany(payload => (byte[])[.. Masked(0x8A, payload), .. Masked(0x89, payload), .. Masked(0x8A)])];
        foreach (int[] chunks in (int[][])[[stream.Length], Chunking.Singles(stream.Length)])
        {
            await client.SendAsync(stream, chunks).WaitAsync(_limit);
            foreach (byte[] payload in payloads)
            {
                await client.AssertFrameAsync(0x8A, payload).WaitAsync(_limit);
            }
        }

        await AssertCleanEndAsync(client).WaitAsync(_limit);
    }

    // A header that declares the limit is fine, wherever the message is cut; what is one byte longer is not.
    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task MessageOfExactlyTheLimit_IsTheLongestThatIsTaken(ServerPath path)
    {
        var server = await servers.GetAsync(path);
        byte[] longest = new byte[LargePathServers.MaxMessageBytes];
        using var client = await server.OpenAsync();
        byte[] fragments = [.. Masked(0x02, longest.AsSpan(1)), .. Masked(0x80, [0]), .. Masked(0x82, longest)];
        var sending = client.SendAsync(fragments);
        await client.AssertFrameAsync(0x82, longest).WaitAsync(_limit);
        await client.AssertFrameAsync(0x82, longest).WaitAsync(_limit);
        await sending;
        await client.SendAsync((byte[])[.. Masked(0x02, longest), .. Masked(0x80, [0])]);
        await client.AssertCloseAsync(1009).WaitAsync(_limit);
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task PayloadThatIsWrittenSeveralTimes_IsFramedAnewEachTime(ServerPath path)
    {
        var server = await servers.GetAsync(path);
        var random = new Random(TestSeed.Choose(output.WriteLine));
        foreach (int size in (int[])[1, 100, 2048, 3000, 5000, 20_000, 60_000, 66_000, 200_000])
        {
            using var client = await server.OpenAsync("/variations");
            byte[] payload = Text(size, random);
            byte[] fragmented = [.. Masked(0x01, payload.AsSpan(0, size / 3)), .. Masked(0x80, payload.AsSpan(size / 3))];
            foreach (byte[] stream in (byte[][])[Masked(0x81, payload), fragmented, [.. Masked(0x8A, "before"), .. Masked(0x81, payload), .. Masked(0x8A, "behind")]])
            {
                await client.SendAsync(stream);
                await client.AssertFrameAsync(0x81, payload).WaitAsync(_limit);
                await client.AssertFrameAsync(0x82, payload).WaitAsync(_limit);
                await client.AssertFrameAsync(0x82, payload[..(size / 2)]).WaitAsync(_limit);
                await client.AssertFrameAsync(0x82, payload[1..]).WaitAsync(_limit);
                await client.AssertFrameAsync(0x81, payload).WaitAsync(_limit);
                await client.AssertFrameAsync(0x82, payload).WaitAsync(_limit);
            }
        }
    }

    [Theory]
    [MemberData(nameof(PathServers.Http1), MemberType = typeof(PathServers))]
    public async Task WhatComesInTheSegmentOfTheHandshake_IsNotLost(ServerPath path)
    {
        var server = await servers.GetAsync(path);
        var random = new Random(TestSeed.Choose(output.WriteLine));
        byte[] handshake = server.Handshake();
        byte[] large = Bytes(100_000, random);
        byte[] messages = [.. Masked(0x81, "one"), .. Masked(0x89, "two"), .. Masked(0x82, large), .. Masked(0x01, "thr"), .. Masked(0x80, "ee")];
        byte[] stream = [.. handshake, .. messages];

        // The last segment begins around the end of the handshake, inside the first frames, and inside the last one.
        int[] cuts = [.. Enumerable.Range(handshake.Length - 6, 30), stream.Length - large.Length, stream.Length - 3];
        int[][] chunkings = [[stream.Length], .. cuts.Select(cut => (int[])[cut, stream.Length - cut]), .. Enumerable.Range(0, 8).Select(_ => Cut(stream.Length, random))];
        await Task.WhenAll(chunkings.Select(async chunks =>
        {
            using var client = await server.ConnectAsync();
            var sending = client.SendAsync(stream, chunks);
            Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
            await client.AssertFrameAsync(0x81, "one");
            await client.AssertFrameAsync(0x8A, "two");
            await client.AssertFrameAsync(0x82, large);
            await client.AssertFrameAsync(0x81, "three");
            await sending;
            await AssertCleanEndAsync(client);
        })).WaitAsync(_limit);
        server.AssertPath();
    }

    private static async Task AssertCleanEndAsync(WireClient client)
    {
        await client.SendAsync(Masked(0x88, RawFrame.ClosePayload(1000)));
        await client.AssertFrameAsync(0x88, RawFrame.ClosePayload(1000));
        await client.AssertEndAsync();
    }

    // Only the beginning of a long stream is cut into pieces of a few bytes.
    private static int[] Cut(int length, Random random) => length <= FinelyCutBytes
        ? Chunking.Split(length, random)
        : [.. Chunking.Split(FinelyCutBytes, random), .. Even(length - FinelyCutBytes, random.Next(1000, 100_000))];

    private static int[] Even(int length, int chunk) => [.. Enumerable.Repeat(chunk, length / chunk), .. (length % chunk == 0 ? (int[])[] : [length % chunk])];

    private static byte[] Bytes(int length, Random random)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    // Characters of one, two and three bytes.
    private static byte[] Text(int length, Random random)
    {
        var text = new StringBuilder();
        for (int left = length; left > 0;)
        {
            char next = (char)(left >= 3 && random.Next(8) == 0 ? random.Next(0x4E00, 0x9FFF) : left >= 2 && random.Next(8) == 0 ? random.Next(0x80, 0x7FF) : random.Next(0x20, 0x7E));
            text.Append(next);
            left -= next < 0x80 ? 1 : next < 0x800 ? 2 : 3;
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
