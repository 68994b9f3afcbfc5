using System.Buffers;
using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>permessage-deflate (RFC 7692) over each path: what is negotiated, and that both sides live by it.</summary>
public sealed class CompressionOnPathsTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    private static readonly bool[] _both = [false, true];

    /// <summary>Gets what the server allows (its own context takeover, the peer's) and what the client asks for (none on either side), on each path.</summary>
    public static TheoryData<ServerPath, bool, bool, bool, bool> Combinations =>
    [
        .. from path in Enum.GetValues<ServerPath>()
           from allowsOurs in _both
           from allowsPeers in _both
           from wantsNoOurs in _both
           from wantsNoPeers in _both
           select (path, allowsOurs, allowsPeers, wantsNoOurs, wantsNoPeers),
    ];

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task ContextTakeover_IsUsedExactlyWhereBothSidesAgree(ServerPath path, bool allowsOurs, bool allowsPeers, bool wantsNoOurs, bool wantsNoPeers)
    {
        await using var server = await PathServer.StartAsync(path, options =>
        {
            options.Compression.ThresholdBytes = 0;
            options.Compression.AllowContextTakeover = allowsOurs;
            options.Compression.AllowPeerContextTakeover = allowsPeers;
        });
        string offer = "permessage-deflate" + (wantsNoOurs ? "; server_no_context_takeover" : "") + (wantsNoPeers ? "; client_no_context_takeover" : "");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(number => ExchangeAsync(server, offer, allowsOurs && !wantsNoOurs, allowsPeers && !wantsNoPeers, number))).WaitAsync(_limit);
        server.AssertPath();
    }

    // Four clients at once, so that what connections of an owner share is shared; each with its own words.
    private async Task ExchangeAsync(PathServer server, string offer, bool serverTakesOver, bool clientTakesOver, int number)
    {
        var (client, answer) = await server.TryOpenAsync("/echo", $"Sec-WebSocket-Extensions: {offer}\r\n");
        using var ended = client;
        Assert.Contains("permessage-deflate", answer);
        Assert.Equal(!serverTakesOver, answer.Contains("server_no_context_takeover", StringComparison.Ordinal));
        Assert.Equal(!clientTakesOver, answer.Contains("client_no_context_takeover", StringComparison.Ordinal));

        using var deflater = DeflateProvider.Current.CreateDeflater(level: 6, windowBits: 15, hasContextTakeover: clientTakesOver);
        using var inflater = DeflateProvider.Current.CreateInflater(windowBits: 15);
        var random = new Random(TestSeed.Choose(output.WriteLine));
        string words = string.Concat(Enumerable.Range(0, 200).Select(_ => $"word {number} {random.Next()} "));
        int firstLength = 0;
        foreach (string text in (string[])[words, words, "", "short", words[..1000], words + words, words])
        {
            byte[] compressed = Compress(deflater, text);
            int cut = random.Next(compressed.Length + 1);
            byte[] frames = [.. Masked(0x41, compressed.AsSpan(0, cut)), .. Masked(0x89, "between"), .. Masked(0x80, compressed.AsSpan(cut))];
            await client.SendAsync(frames, Chunking.Split(frames.Length, random));

            await client.AssertFrameAsync(0x8A, "between");
            var echo = await client.ReadFrameAsync();
            Assert.Equal(0xC1, echo!.First);
            if (!serverTakesOver)
            {
                // RFC 7692 §7.1.1.1: each message can be read without those before.
                inflater.Reset();
            }

            Assert.Equal(text, Inflate(inflater, echo.Payload));
            firstLength = firstLength == 0 ? echo.Payload.Length : firstLength;
        }

        // What was said before costs nearly nothing where the window is kept, and the same again where it is not.
        byte[] again = Compress(deflater, words);
        await client.SendAsync((byte[])[.. Masked(0xC1, again), .. Masked(0x88, RawFrame.ClosePayload(1000))]);
        int length = (await client.ReadFrameAsync())!.Payload.Length;
        Assert.Equal(serverTakesOver, length < firstLength / 4);
        await client.AssertCloseAsync(1000);
        await client.AssertEndAsync();
    }

    private static byte[] Compress(MessageDeflater deflater, string text)
    {
        var buffer = new ArrayBufferWriter<byte>();
        deflater.Compress(Encoding.UTF8.GetBytes(text), buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static string Inflate(MessageInflater inflater, byte[] compressed)
    {
        byte[] message = new byte[64 * 1024];
        var status = inflater.Inflate(compressed, message, isFinal: true, out int consumed, out int written);
        Assert.Equal((OperationStatus.Done, compressed.Length), (status, consumed));
        return Encoding.UTF8.GetString(message, 0, written);
    }
}
