using System.Buffers;
using System.Text;

namespace Shockwave.Protocol.Tests;

public sealed class MessageInflaterTests
{
    private static readonly string[] _providers = [DeflateProviders.Native, DeflateProviders.Managed];

    public static TheoryData<string> Providers => DeflateProviders.Both;

    public static TheoryData<string, string, string> LegalPayloads => Cross(
        ("f2 48 cd c9 c9 07 00", "Hello"), // RFC 7692 §7.2.3.1, one block
        ("f2 48 cd c9 c9 07 00 00 00 ff ff 00", "Hello"), // the tail kept, and another empty block
        ("00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"), // §7.2.3.3, stored
        ("f3 48 cd c9 c9 07 00 00", "Hello"), // §7.2.3.4, BFINAL
        ("f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"), // §7.2.3.5, two blocks
        ("f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00", "HelloHello"), // two streams in one message
        ("01 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"), // a stored block with BFINAL
        ("00", ""), // §7.2.3.6
        ("01", ""),
        ("02 00", ""),
        ("03 00 00", ""),
        ("00 00 00 ff ff 00", ""),
        ("", "")); // no payload at all

    public static TheoryData<string, string> IllegalPayloads => Cross(
        "06 00", // block type 3
        "07",
        "00 05 00 fa fe 48 65 6c 6c 6f 00", // lengths that do not agree
        "00 05 00 fa ff 48 65 6c 6c 6f 06", // garbage behind a stored block
        "f3 48 cd c9 c9 07 00", // BFINAL with nothing behind it
        "f3 48 cd c9 c9 07 00 06",
        "f3 48 cd c9 c9 07 00 ff ff ff",
        "f3 48 cd c9 c9 07 00 00 00",
        "f3 48 cd c9 c9 07 00 00 00 00 ff ff", // the tail behind a block that is complete
        "f2 00 11 00 00", // refers to a message before the first
        "f3 48 cd c9 c9 07 00 f2 00 11 00 00", // refers to the stream before
        "4b 04 22 00 00", // refers back further than there is
        "00 04 00 fb ff", // the removed octets as data
        "00 03 00 fc ff 41",
        "00 08 00 f7 ff 41 42 43 44",
        "00 00",
        "00 00 00",
        "00 ff",
        "00 00 00 ff",
        "00 00 00 ff ff", // a stored block that is complete
        "04", // dynamic block cut off
        "fc ff ff ff ff ff ff ff", // 31 distance codes, 288 literal codes
        "05 e0 81 08 00 00 00 00 00 10", // code lengths that are all 0
        "1b 07 00", // length symbol 286
        "63 00", // no end of block
        "ff ff ff ff ff ff ff ff");

    // Bits in the order of the stream, numbers with their lowest bit first. The code length code has 18 (a run of 11 to 138 zeros) as 1
    // and one other symbol as 0; 256 zeros are two such runs.
    public static TheoryData<string, string, bool, string> DynamicBlocks
    {
        get
        {
            const string Begin = "0 01 00000 00000 0111 000 000 100 000 000 000 000 000 000 000 000 000 000 000 000 000 000 100";
            const string Literals = "1 1111111 1 1101011";
            const string End = "000";
            (string Why, bool IsLegal, string Bits)[] blocks =
            [
                ("one literal code and one distance code", true, Begin + Literals + "0 0" + "0" + End),
                ("a code that is not assigned", false, Begin + Literals + "0 0" + "1 000000000000000 0" + End),
                ("no end of block", false, Begin + "1 1111111 1 0010111" + "0 0" + End),
                ("more zeros than lengths", false, Begin + Literals + "1 1111111" + End),
                ("a repeat of nothing", false, "0 01 00000 00000 0000 100 000 100 000" + "0 00" + End),
                ("a code length code of one symbol", false, "0 01 00000 00000 0000 000 000 100 000" + "0 0000000" + End),
                ("a code length code with too many", false, "0 01 00000 00000 0000 100 100 100 000" + "0 0000000" + End),
                ("287 literal codes", false, "0 01 01111 00000 0000 100 000 100 000" + End),
                ("31 distance codes", false, "0 01 00000 01111 0000 100 000 100 000" + End),
            ];
            return new(from provider in _providers from block in blocks select (provider, block.Why, block.IsLegal, block.Bits));
        }
    }

    [Theory]
    [MemberData(nameof(LegalPayloads))]
    public void LegalPayload_InflatesAtEverySplitIntoEveryDestination(string provider, string payload, string expected)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        byte[] source = DeflateProviders.Hex(payload);
        for (int sourceBytes = 1; sourceBytes <= source.Length + 1; sourceBytes++)
        {
            for (int destinationBytes = 1; destinationBytes <= expected.Length + 1; destinationBytes++)
            {
                inflater.Reset();
                byte[]? message = inflater.Inflate(source, sourceBytes, destinationBytes);
                Assert.NotNull(message);
                Assert.Equal(expected, Encoding.UTF8.GetString(message));
            }
        }
    }

    [Theory]
    [MemberData(nameof(IllegalPayloads))]
    public void IllegalPayload_IsRefusedAtEverySplitIntoEveryDestination(string provider, string payload)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        byte[] source = DeflateProviders.Hex(payload);
        for (int sourceBytes = 1; sourceBytes <= source.Length; sourceBytes++)
        {
            for (int destinationBytes = 1; destinationBytes <= 16; destinationBytes++)
            {
                inflater.Reset();
                Assert.Null(inflater.Inflate(source, sourceBytes, destinationBytes));
            }
        }
    }

    [Theory]
    [MemberData(nameof(DynamicBlocks))]
    public void DynamicBlock_IsReadOrRefusedByTheRules(string provider, string why, bool isLegal, string bits)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        byte[] payload = Pack(bits);
        for (int sourceBytes = 1; sourceBytes <= payload.Length; sourceBytes++)
        {
            inflater.Reset();
            Assert.True(isLegal == inflater.Inflate(payload, sourceBytes, destinationBytes: 1) is not null, why);
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void TruncatedMessage_IsRefusedWhereverItEnds(string provider)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        using var deflater = new NativeDeflater(level: 9, windowBits: 15, hasContextTakeover: false);
        byte[] payload = deflater.Compress(DeflateProviders.CreateMessage(new Random(7), 2000));
        for (int length = 1; length < payload.Length; length++)
        {
            inflater.Reset();
            Assert.Null(inflater.Inflate(payload.AsSpan(0, length)));
        }

        inflater.Reset();
        Assert.NotNull(inflater.Inflate(payload));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void SecondMessage_MayReferToTheFirstUnderContextTakeover(string provider)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        Assert.Equal("Hello", inflater.InflateText("f2 48 cd c9 c9 07 00"));
        Assert.Equal("", inflater.InflateText(""));
        Assert.Equal("Hello", inflater.InflateText("f2 00 11 00 00")); // RFC 7692 §7.2.3.2
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void SecondMessage_CannotReferToTheFirstAfterReset(string provider)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        Assert.Equal("Hello", inflater.InflateText("f2 48 cd c9 c9 07 00"));
        inflater.Reset();
        Assert.Null(inflater.InflateText("f2 00 11 00 00"));
    }

    [Theory]
    [InlineData(DeflateProviders.Native, "f3 48 cd c9 c9 07 00 00")]
    [InlineData(DeflateProviders.Managed, "f3 48 cd c9 c9 07 00 00")]
    [InlineData(DeflateProviders.Native, "00 05 00 fa ff 48 65 6c 6c 6f 01")]
    [InlineData(DeflateProviders.Managed, "00 05 00 fa ff 48 65 6c 6c 6f 01")]
    public void SecondMessage_CannotReferPastAFinalBlock(string provider, string first)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        Assert.Equal("Hello", inflater.InflateText(first));
        Assert.Equal("Hello", inflater.InflateText("f2 48 cd c9 c9 07 00"));
        Assert.Equal("Hello", inflater.InflateText(first));
        Assert.Equal("", inflater.InflateText(""));
        Assert.Null(inflater.InflateText("f2 00 11 00 00"));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void RefusedMessage_StaysRefusedUntilReset(string provider)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        Assert.Null(inflater.InflateText("00 08 00 f7 ff 41 42 43 44"));

        // The four octets that the stored block still wanted must not be taken from the next message.
        Assert.Null(inflater.InflateText("45 46 47 48 00"));
        Assert.Null(inflater.InflateText("f2 48 cd c9 c9 07 00"));
        inflater.Reset();
        Assert.Equal("Hello", inflater.InflateText("f2 48 cd c9 c9 07 00"));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void MessageGivenUp_LeavesNothingBehindAfterReset(string provider)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        byte[] one = new byte[1];
        Assert.Equal(
            OperationStatus.DestinationTooSmall,
            inflater.Inflate(DeflateProviders.Hex("f2 48 cd c9 c9 07 00"), one, isFinal: true, out _, out _));
        Assert.Equal(OperationStatus.DestinationTooSmall, inflater.Inflate([], [], isFinal: true, out _, out _));
        inflater.Reset();
        Assert.Equal("", inflater.InflateText("00"));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void FullDestination_IsDoneWhenTheMessageEndsWithIt(string provider)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        byte[] source = DeflateProviders.Hex("f2 48 cd c9 c9 07 00");
        byte[] destination = new byte[5];
        Assert.Equal(OperationStatus.Done, inflater.Inflate(source, destination, isFinal: true, out int consumed, out int written));
        Assert.Equal((7, 5), (consumed, written));
        inflater.Reset();
        Assert.Equal(
            OperationStatus.DestinationTooSmall, inflater.Inflate(source, destination.AsSpan(0, 4), isFinal: true, out consumed, out written));
        Assert.Equal(4, written);
        Assert.Equal(OperationStatus.DestinationTooSmall, inflater.Inflate(source.AsSpan(consumed), [], isFinal: true, out int none, out written));
        Assert.Equal((0, 0), (none, written));
        Assert.Equal(OperationStatus.Done, inflater.Inflate(source.AsSpan(consumed), destination, isFinal: true, out _, out written));
        Assert.Equal(1, written);
        Assert.Equal((byte)'o', destination[0]);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void EmptyMessage_NeedsNoDestination(string provider)
    {
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        Assert.Equal(OperationStatus.NeedMoreData, inflater.Inflate([], [], isFinal: false, out _, out _));
        Assert.Equal(OperationStatus.Done, inflater.Inflate([0x00], [], isFinal: true, out int consumed, out _));
        Assert.Equal(1, consumed);
        Assert.Equal(OperationStatus.Done, inflater.Inflate([], [], isFinal: true, out _, out _));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void Bomb_IsStoppedAtTheCallersLimitWithoutAnyAllocation(string provider)
    {
        const int Limit = 64 * 1024;
        using var deflater = new NativeDeflater(level: 9, windowBits: 15, hasContextTakeover: false);
        byte[] bomb = deflater.Compress(new byte[64 * 1024 * 1024]);
        Assert.InRange(bomb.Length, 1, 70_000);
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        byte[] destination = new byte[16 * 1024];
        int consumed = 0;
        int total = 0;
        long allocated = DeflateProviders.AllocatedBytes(() =>
        {
            inflater.Reset();
            (consumed, total) = InflateUpTo(Limit + 1, inflater, bomb, destination);
        });
        Assert.Equal(0, allocated);
        Assert.Equal(Limit + 1, total);
        Assert.InRange(consumed, 1, 200);
    }

    [Fact]
    public void Garbage_HasTheSameVerdictWholeOrInPartsAndFromBothProviders()
    {
        var random = new Random(20260101);
        byte[][] seeds = CreateSeeds(random);
        var inflaters = _providers.Select(provider => DeflateProviders.Get(provider).CreateInflater()).ToArray();
        int accepted = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] payload = Mutate(random, seeds);
            int sourceBytes = random.Next(1, payload.Length + 1);
            int destinationBytes = random.Next(1, 300);
            byte[]? expected = Fresh(inflaters[0]).Inflate(payload);
            accepted += expected is null ? 0 : 1;
            foreach (var inflater in inflaters)
            {
                byte[]? actual = Fresh(inflater).Inflate(payload, sourceBytes, destinationBytes);
                if (!(expected ?? []).AsSpan().SequenceEqual(actual) || expected is null != actual is null)
                {
                    Assert.Fail($"{inflater.GetType().Name} differs on {Convert.ToHexString(payload)} in parts of {sourceBytes}, {destinationBytes}");
                }
            }
        }

        foreach (var inflater in inflaters)
        {
            inflater.Dispose();
        }

        // Neither verdict is rare enough for the comparison to mean nothing.
        Assert.InRange(accepted, 1_000, 90_000);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void Inflating_AllocatesNothing(string provider)
    {
        using var deflater = new NativeDeflater(level: 6, windowBits: 15, hasContextTakeover: false);
        byte[] payload = deflater.Compress(DeflateProviders.CreateMessage(new Random(1), 1024));
        byte[] destination = new byte[1024];
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        Assert.Equal(0, DeflateProviders.AllocatedBytes(() =>
        {
            inflater.Reset();
            _ = inflater.Inflate(payload, destination, isFinal: true, out _, out int written);
            Assert.True(written == 1024);
        }));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void DisposedInflater_Throws(string provider)
    {
        var inflater = DeflateProviders.Get(provider).CreateInflater();
        inflater.Dispose();
        inflater.Dispose();
        Assert.Throws<ObjectDisposedException>(() => inflater.Inflate([0], [], isFinal: true, out _, out _));
        Assert.Throws<ObjectDisposedException>(inflater.Reset);
    }

    // As a message reader does that has a limit: never more room than up to one octet past it.
    private static (int Consumed, int Total) InflateUpTo(int limit, MessageInflater inflater, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int consumed = 0;
        int total = 0;
        while (total < limit)
        {
            Span<byte> room = destination[..Math.Min(destination.Length, limit - total)];
            var status = inflater.Inflate(source[consumed..], room, isFinal: true, out int read, out int written);
            Assert.True(status == OperationStatus.DestinationTooSmall && written == room.Length);
            consumed += read;
            total += written;
        }

        return (consumed, total);
    }

    private static MessageInflater Fresh(MessageInflater inflater)
    {
        inflater.Reset();
        return inflater;
    }

    private static byte[][] CreateSeeds(Random random)
    {
        var seeds = new List<byte[]>();
        for (int level = 1; level <= 9; level++)
        {
            using var deflater = new NativeDeflater(level, windowBits: 15, hasContextTakeover: false);
            for (int length = 1; length < 1000; length *= 3)
            {
                seeds.Add(deflater.Compress(DeflateProviders.CreateMessage(random, length)));
            }
        }

        return [.. seeds, .. LegalPayloads.Select(row => DeflateProviders.Hex(row.Data.Item2)).Where(payload => payload.Length > 0)];
    }

    private static byte[] Mutate(Random random, byte[][] seeds)
    {
        if (random.Next(8) == 0)
        {
            byte[] noise = new byte[random.Next(1, 64)];
            random.NextBytes(noise);
            return noise;
        }

        byte[] payload = [.. seeds[random.Next(seeds.Length)]];
        if (random.Next(4) == 0)
        {
            payload = [.. payload, .. seeds[random.Next(seeds.Length)]];
        }

        for (int changes = random.Next(4); changes > 0; changes--)
        {
            int position = random.Next(payload.Length);
            payload = random.Next(4) switch
            {
                0 => [.. payload[..position], (byte)random.Next(256), .. payload[position..]],
                1 when payload.Length > 1 => [.. payload[..position], .. payload[(position + 1)..]],
                2 => payload[..(position + 1)],
                _ => [.. payload[..position], (byte)(payload[position] ^ (1 << random.Next(8))), .. payload[(position + 1)..]],
            };
        }

        return payload;
    }

    private static byte[] Pack(string bits)
    {
        bits = bits.Replace(" ", "");
        var bytes = new byte[(bits.Length + 7) / 8];
        for (int i = 0; i < bits.Length; i++)
        {
            bytes[i / 8] |= (byte)((bits[i] - '0') << (i % 8));
        }

        return bytes;
    }

    private static TheoryData<string, string> Cross(params string[] payloads) =>
        new(from provider in _providers from payload in payloads select (provider, payload));

    private static TheoryData<string, string, string> Cross(params (string Payload, string Message)[] rows) =>
        new(from provider in _providers from row in rows select (provider, row.Payload, row.Message));
}
