using System.Text;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Protocol.Tests;

public sealed class MessageReaderTests : IDisposable
{
    private const int FirstBufferBytes = 4096;

    private static readonly MessageLimits _limits = new(MaxMessageBytes: 1000, MaxFrameBytes: 1000, MaxFragmentsPerMessage: 16);

    private readonly SharedDeflate _shared = new(DeflateProvider.Current, level: 1);

    public static TheoryData<string, byte[], string> LegalStreams => new()
    {
        { "text", Masked(0x81, "Hello"), "text Hello" },
        { "binary", Masked(0x82, [0xFF, 0x00]), "binary FF00" },
        { "empty text", Masked(0x81), "text" },
        { "empty binary", Masked(0x82), "binary" },
        { "empty fragments", [.. Masked(0x01), .. Masked(0x00), .. Masked(0x80)], "text" },
        { "empty fragments around one byte", [.. Masked(0x01), .. Masked(0x00, "a"), .. Masked(0x80)], "text a" },
        { "empty first fragment", [.. Masked(0x01), .. Masked(0x80, "abc")], "text abc" },
        { "empty last fragment", [.. Masked(0x01, "abc"), .. Masked(0x80)], "text abc" },
        { "two messages", [.. Masked(0x81, "one"), .. Masked(0x82, [0x02])], "text one|binary 02" },
        { "code point over three fragments", [.. Masked(0x01, [0xF0, 0x9F]), .. Masked(0x00, [0x98]), .. Masked(0x80, [0x80])], "text \U0001F600" },
        { "binary that is not UTF-8, in fragments", [.. Masked(0x02, [0xC0]), .. Masked(0x80, [0x80])], "binary C080" },
        { "empty controls", [.. Masked(0x89), .. Masked(0x8A), .. Masked(0x88)], "ping|pong|close" },
        {
            "controls between fragments",
            [.. Masked(0x01, "ab"), .. Masked(0x89, "ping"), .. Masked(0x00, "cd"), .. Masked(0x8A, "pong"), .. Masked(0x89), .. Masked(0x80, "ef")],
            "ping ping|pong pong|ping|text abcdef"
        },
        { "close inside a message", [.. Masked(0x01, "ab"), .. Masked(0x88, [0x03, 0xE8])], "close 03E8" },
        { "largest control", Masked(0x89, new string('p', 125)), "ping " + new string('p', 125) },
        { "length in 16 bits", Masked(0x81, new string('a', 126)), "text " + new string('a', 126) },
        { "message after a fragmented one", [.. Masked(0x01, "a"), .. Masked(0x80, "b"), .. Masked(0x82, [1])], "text ab|binary 01" },
    };

    public static TheoryData<string, byte[], string> IllegalStreams => new()
    {
        { "opcode 3", Masked(0x83), "reserved opcode" },
        { "RSV1 without the extension", Masked(0xC1), "reserved bit set" },
        { "RSV2", Masked(0xA1), "reserved bit set" },
        { "RSV3", Masked(0x91), "reserved bit set" },
        { "not masked", Unmasked(0x81), "client frame is not masked" },
        { "control that is not masked", Unmasked(0x89), "client frame is not masked" },
        { "continuation of nothing", Masked(0x80), "continuation without a message" },
        { "continuation after a whole message", [.. Masked(0x81, "a"), .. Masked(0x00)], "continuation without a message" },
        { "message inside a message", [.. Masked(0x01, "a"), .. Masked(0x81, "b")], "new message inside a fragmented one" },
        { "message inside a message, behind a ping", [.. Masked(0x02), .. Masked(0x89), .. Masked(0x02)], "new message inside a fragmented one" },
        { "length with the top bit", Header(0x82, ulong.MaxValue, isMasked: true), "length with the top bit set" },
        { "text that is not UTF-8", Masked(0x81, [0xC0, 0x80]), "text is not UTF-8" },
        { "text that ends too soon", Masked(0x81, [0xE2, 0x82]), "text is not UTF-8" },
        { "text that ends too soon, in fragments", [.. Masked(0x01, [0xE2]), .. Masked(0x80, [0x82])], "text is not UTF-8" },
        { "text that ends too soon, in an empty fragment", [.. Masked(0x01, [0xE2, 0x82]), .. Masked(0x80)], "text is not UTF-8" },
    };

    public void Dispose() => _shared.Dispose();

    [Theory]
    [MemberData(nameof(LegalStreams))]
    public void LegalStream_IsReadAlikeHoweverItIsCut(string name, byte[] stream, string expected) =>
        Assert.True(expected == ReadCutEverywhere(stream), name);

    [Theory]
    [MemberData(nameof(IllegalStreams))]
    public void IllegalStream_IsRefusedAlikeHoweverItIsCut(string name, byte[] stream, string reason) =>
        Assert.True(ReadCutEverywhere([.. stream, .. Masked(0x89)]).EndsWith(reason, StringComparison.Ordinal), name);

    [Fact]
    public void Client_DemandsUnmaskedFrames()
    {
        Assert.Equal("text Hello|ping", ReadCutEverywhere([.. Unmasked(0x01, "Hel"), .. Unmasked(0x80, "lo"), .. Unmasked(0x89)], EndpointRole.Client));
        Assert.Equal("server frame is masked", ReadCutEverywhere(Masked(0x81, "Hello"), EndpointRole.Client));
        Assert.Equal("server frame is masked", ReadCutEverywhere(Masked(0x89), EndpointRole.Client));
    }

    [Fact]
    public void WholeMessage_IsUnmaskedWhereItLiesAndNothingIsRented()
    {
        var pool = new TrackingArrayPool();
        using var reader = CreateReader(pool);
        byte[] received = Masked(0x81, "Hello");

        Assert.Equal(MessageEvent.Message, reader.Read(received, out int consumed, out var payload));

        Assert.Equal(received.Length, consumed);
        Assert.True(payload == received.AsSpan(6));
        Assert.False(reader.TryDetachMessage(out byte[]? buffer));
        Assert.Null(buffer);
        Assert.Equal(0, pool.RentCount);
    }

    [Fact]
    public void CutPing_HoldsNoBufferOnceItIsReleased()
    {
        var pool = new TrackingArrayPool();
        using var reader = CreateReader(pool);
        byte[] ping = Masked(0x89, "ping");
        Assert.Equal(MessageEvent.None, reader.Read(ping.AsSpan(0, 8), out _, out _));
        Assert.Equal(MessageEvent.Ping, reader.Read(ping.AsSpan(8), out _, out var payload));
        Assert.Equal("ping", Encoding.UTF8.GetString(payload));

        reader.ReleaseMessage();

        pool.AssertBalanced();
        Assert.Equal(1, pool.RentCount);
    }

    [Fact]
    public void Releasing_BetweenFragmentsKeepsThem()
    {
        using var reader = CreateReader(new TrackingArrayPool());
        byte[] stream = [.. Masked(0x01, "ab"), .. Masked(0x89), .. Masked(0x80, "cd")];
        Assert.Equal(MessageEvent.Ping, reader.Read(stream, out int consumed, out _));

        reader.ReleaseMessage();

        Assert.Equal(MessageEvent.Message, reader.Read(stream.AsSpan(consumed), out _, out var payload));
        Assert.Equal("abcd", Encoding.UTF8.GetString(payload));
    }

    [Theory]
    [InlineData(999, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void MessageLimit_IsExact(int length, bool isAccepted)
    {
        string verdict = isAccepted ? "binary " + new string('0', 2 * length) : "message is too big";
        var limits = _limits with { MaxFrameBytes = 5000 };
        byte[] whole = Masked(0x82, new byte[length]);
        byte[] fragmented = [.. Masked(0x02, new byte[500]), .. Masked(0x00), .. Masked(0x80, new byte[length - 500])];

        Assert.Equal(verdict, ReadInSomeWays(whole, limits));
        Assert.Equal(verdict, ReadInSomeWays(fragmented, limits));
    }

    [Theory]
    [InlineData(99, true)]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void FrameLimit_IsExact(int length, bool isAccepted)
    {
        var limits = _limits with { MaxFrameBytes = 100 };
        byte[] fragmented = [.. Masked(0x02, new byte[100]), .. Masked(0x80, new byte[length])];

        Assert.Equal(isAccepted ? "binary " + new string('0', 200 + (2 * length)) : "frame is too big", ReadInSomeWays(fragmented, limits));
        Assert.Equal(isAccepted ? "binary " + new string('0', 2 * length) : "frame is too big", ReadInSomeWays(Masked(0x82, new byte[length]), limits));
    }

    [Theory]
    [InlineData(15, "", true)]
    [InlineData(16, "", true)]
    [InlineData(17, "", false)]
    [InlineData(16, "a", true)]
    [InlineData(17, "a", false)]
    public void FragmentLimit_IsExactAndCountsEmptyOnes(int count, string each, bool isAccepted)
    {
        byte[] between = [.. Enumerable.Repeat<byte[]>([.. Masked(0x00, each), .. Masked(0x8A)], count - 2).SelectMany(bytes => bytes)];
        byte[] stream = [.. Masked(0x01, each), .. between, .. Masked(0x80, each)];

        string verdict = ReadInSomeWays(stream, _limits);

        Assert.EndsWith(isAccepted ? string.Concat(Enumerable.Repeat(each, count)) : "too many fragments", verdict);
        Assert.Equal(isAccepted, verdict.Contains("text", StringComparison.Ordinal));
    }

    [Fact]
    public void MessageLimit_CannotOverflow()
    {
        var limits = new MessageLimits(Array.MaxLength, Array.MaxLength, 16);
        Assert.Equal("frame is too big", Read([.. Masked(0x02, "a"), .. MaskedHeader(0x00, long.MaxValue)], limits));
        Assert.Equal("message is too big", Read([.. Masked(0x02, "a"), .. MaskedHeader(0x00, Array.MaxLength)], limits));
    }

    [Theory]
    [InlineData(0x83, 1L << 40, "reserved opcode")]
    [InlineData(0x8B, 1L << 40, "reserved opcode")]
    [InlineData(0xA2, 1L << 40, "reserved bit set")]
    [InlineData(0x82, 1L << 40, "frame is too big")]
    [InlineData(0x82, 1001, "frame is too big")]
    [InlineData(0x82, 1000, "")]
    [InlineData(0x01, 1000, "")]
    [InlineData(0x80, 1L << 40, "continuation without a message")]
    public void DeclaredPayload_IsNotAllocatedFor(int first, long length, string verdict)
    {
        var pool = new TrackingArrayPool();
        using var reader = CreateReader(pool);
        byte[] header = MaskedHeader(first, length);
        reader.Read([], out _, out _);

        long before = GC.GetAllocatedBytesForCurrentThread();
        var found = reader.Read(header, out _, out _);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.Equal(0, pool.RentCount);
        Assert.Equal(verdict.Length == 0 ? MessageEvent.None : MessageEvent.Violation, found);
        Assert.Equal(verdict, reader.Violation?.Reason ?? "");
    }

    [Fact]
    public void LargeFrame_IsCollectedInABufferThatGrowsWithWhatArrives()
    {
        var pool = new TrackingArrayPool();
        var limits = new MessageLimits(1 << 20, 1 << 20, 16);
        using var reader = CreateReader(pool, limits);
        reader.Read(MaskedHeader(0x82, 1 << 20), out _, out _);

        reader.Read(new byte[1], out _, out _);
        Assert.Equal(FirstBufferBytes, pool.LentBytes);
        reader.Read(new byte[FirstBufferBytes], out _, out _);
        Assert.Equal(2 * FirstBufferBytes, pool.LentBytes);
        reader.Read(new byte[100_000], out _, out _);
        Assert.InRange(pool.LentBytes, 100_000, 200_000);
    }

    [Theory]
    [InlineData("C0")]
    [InlineData("61 FF")]
    [InlineData("E0 80")]
    [InlineData("ED A0")]
    [InlineData("F4 90")]
    [InlineData("F5")]
    public void BadText_IsRefusedBeforeItsFragmentEnds(string hex)
    {
        byte[] bad = Convert.FromHexString(hex.Replace(" ", ""));

        Assert.Equal("text is not UTF-8", ReadCutEverywhere(Masked(0x01, bad)));
        Assert.Equal("text is not UTF-8", ReadCutEverywhere([.. MaskedHeader(0x81, 900), .. Mask(bad)]));
        Assert.Equal("text is not UTF-8", ReadCutEverywhere([.. Masked(0x01, "ok"), .. MaskedHeader(0x00, 900), .. Mask(bad)]));
    }

    [Fact]
    public void BadCompressedText_IsRefusedBeforeItsFragmentEnds()
    {
        byte[] compressed = Compress([.. "ok"u8, 0xC0, .. new byte[100]]);
        byte[] stream = [.. MaskedHeader(0x41, 900), .. Mask(compressed)];

        Assert.Equal("text is not UTF-8", ReadInSomeWays(stream, _limits, Shared));
    }

    [Fact]
    public void CompressedMessages_AreReadAlikeHoweverTheyAreCut()
    {
        byte[] hello = Convert.FromHexString("F248CDC9C90700");
        byte[] stream =
        [
            .. Masked(0xC1, hello),
            .. Masked(0x41, hello.AsSpan(0, 3)), .. Masked(0x89, "p"), .. Masked(0x00), .. Masked(0x80, hello.AsSpan(3)),
            .. Masked(0xC1, [0x00]), .. Masked(0xC1), .. Masked(0x41), .. Masked(0x80), .. Masked(0x81, "plain"), .. Masked(0xC2, hello),
        ];

        Assert.Equal("text Hello|ping p|text Hello|text|text|text|text plain|binary 48656C6C6F", ReadCutEverywhere(stream, inflaters: Shared));
    }

    [Fact]
    public void DedicatedInflater_KeepsItsWindowFromMessageToMessage()
    {
        using var inflater = DeflateProvider.Current.CreateInflater();
        using var reader = CreateReader(new TrackingArrayPool(), _limits, new InflaterSource(null, inflater));

        // RFC 7692 §7.2.3.2: the second "Hello" refers to the first.
        var run = ReadRun.Of(reader, [.. Masked(0xC1, Convert.FromHexString("F248CDC9C90700")), .. Masked(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])], 11 + 2, 11);

        Assert.Equal("text Hello|text Hello", Describe(run));
    }

    [Fact]
    public void SharedInflater_StartsEachMessageAnew()
    {
        byte[] stream = [.. Masked(0xC1, Convert.FromHexString("F248CDC9C90700")), .. Masked(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])];

        Assert.Equal("text Hello|compressed data is corrupt", ReadCutEverywhere(stream, inflaters: Shared));
    }

    [Theory]
    [InlineData(0xC9)]
    [InlineData(0xCA)]
    [InlineData(0xC8)]
    [InlineData(0xC0)]
    [InlineData(0x40)]
    [InlineData(0xE1)]
    [InlineData(0xD1)]
    public void CompressedFlag_BelongsToTheFirstFrameOfAMessageOnly(int first)
    {
        Assert.Equal("reserved bit set", ReadCutEverywhere(Masked(first), inflaters: Shared));
        Assert.EndsWith("reserved bit set", ReadCutEverywhere([.. Masked(0x41, [0xF2]), .. Masked(first)], inflaters: Shared));
    }

    [Theory]
    [InlineData(999, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    [InlineData(100_000, false)]
    public void InflatedSize_IsLimitedExactly(int length, bool isAccepted)
    {
        byte[] stream = Masked(0xC2, Compress(new byte[length]));

        string verdict = ReadInSomeWays(stream, _limits, Shared);

        Assert.Equal(isAccepted ? "binary " + new string('0', 2 * length) : "message is too big", verdict);
    }

    [Fact]
    public void Bomb_IsStoppedAtTheLimit()
    {
        var pool = new TrackingArrayPool();
        var limits = new MessageLimits(64 * 1024, 64 * 1024, 1024);
        using var reader = CreateReader(pool, limits, Shared);
        byte[] bomb = Masked(0xC2, Compress(new byte[16 << 20]));

        Assert.Equal(MessageEvent.Violation, reader.Read(bomb, out _, out _));

        Assert.Same(ProtocolViolation.MessageTooBig, reader.Violation);
        Assert.InRange(pool.MostLentBytes, 1, 2 * 64 * 1024);
        Assert.Equal(1, _shared.IdleInflaterCount);
        pool.AssertBalanced();
    }

    // What comes after the limit must not change why the message is refused, whether it is seen in the same step or not.
    [Theory]
    [InlineData(1000, "06", "compressed data is corrupt")] // a block of the type that there is not
    [InlineData(1001, "06", "message is too big")]
    [InlineData(1002, "06", "message is too big")]
    [InlineData(1300, "06", "message is too big")]
    [InlineData(999, "62 18 03 00", "compressed data is corrupt")] // one literal, then a symbol that there is not
    [InlineData(1000, "62 18 03 00", "message is too big")]
    [InlineData(1001, "62 18 03 00", "message is too big")]
    public void Limit_IsTheVerdictAlsoWhereTheRestIsCorrupt(int length, string rest, string reason)
    {
        // The four octets that a sender removes end the block, so that the rest begins another.
        byte[] payload = [.. Compress(new byte[length]), 0x00, 0x00, 0xFF, 0xFF, .. Convert.FromHexString(rest.Replace(" ", ""))];

        Assert.Equal(reason, ReadCutEverywhere(Masked(0xC2, payload), inflaters: Shared));
    }

    [Theory]
    [InlineData(998, "text is not UTF-8")]
    [InlineData(999, "text is not UTF-8")]
    [InlineData(1000, "message is too big")]
    public void Limit_IsNotTheVerdictWhereTheTextIsBadBeforeIt(int length, string reason)
    {
        byte[] stream = Masked(0xC1, Compress([.. new byte[length], 0xFF, .. new byte[500]]));

        Assert.Equal(reason, ReadCutEverywhere(stream, inflaters: Shared));
    }

    [Theory]
    [InlineData("06 00")]
    [InlineData("00 05 00 fa fe 48 65 6c 6c 6f 00")]
    [InlineData("f2 48 cd c9 c9 07")]
    [InlineData("f3 48 cd c9 c9 07 00 06")]
    [InlineData("ff ff ff ff")]
    public void CorruptCompressedData_IsRefusedAndTheInflaterGivenBack(string hex)
    {
        byte[] payload = Convert.FromHexString(hex.Replace(" ", ""));
        byte[] stream = [.. Masked(0xC1, payload), .. Masked(0x81, "never")];

        Assert.Equal("compressed data is corrupt", ReadCutEverywhere(stream, inflaters: Shared));
        Assert.Equal(1, _shared.IdleInflaterCount);
    }

    [Fact]
    public void Detached_BufferIsTheCallersAndTheReaderGoesOn()
    {
        var pool = new TrackingArrayPool();
        using var reader = CreateReader(pool);
        byte[] stream = [.. Masked(0x01, "ab"), .. Masked(0x80, "cd"), .. Masked(0x01, "ef"), .. Masked(0x80, "gh")];
        Assert.Equal(MessageEvent.Message, reader.Read(stream, out int consumed, out var payload));

        Assert.True(reader.TryDetachMessage(out byte[]? detached));
        Assert.False(reader.TryDetachMessage(out _));
        Assert.True(payload == detached.AsSpan(0, 4));
        reader.ReleaseMessage();

        Assert.Equal(MessageEvent.Message, reader.Read(stream.AsSpan(consumed), out _, out payload));
        Assert.Equal("efgh", Encoding.UTF8.GetString(payload));
        Assert.Equal("abcd", Encoding.UTF8.GetString(detached.AsSpan(0, 4)));
        reader.ReleaseMessage();
        pool.Return(detached!);
        pool.AssertBalanced();
    }

    [Fact]
    public void Detaching_BetweenMessagesFindsNothing()
    {
        using var reader = CreateReader(new TrackingArrayPool());
        Assert.False(reader.TryDetachMessage(out _));
        reader.Read(Masked(0x01, "ab"), out _, out _);
        Assert.False(reader.TryDetachMessage(out _));
    }

    [Fact]
    public void CompressedMessage_CanBeDetached()
    {
        var pool = new TrackingArrayPool();
        using var reader = CreateReader(pool, _limits, Shared);
        Assert.Equal(MessageEvent.Message, reader.Read(Masked(0xC1, Convert.FromHexString("F248CDC9C90700")), out _, out _));
        Assert.True(reader.TryDetachMessage(out byte[]? buffer));
        Assert.Equal("Hello", Encoding.UTF8.GetString(buffer.AsSpan(0, 5)));
        Assert.Equal(1, _shared.IdleInflaterCount);
        pool.Return(buffer!);
        pool.AssertBalanced();
    }

    [Fact]
    public void Disposing_AnywhereGivesEverythingBack()
    {
        byte[] hello = Convert.FromHexString("F248CDC9C90700");
        byte[] stream =
        [
            .. Masked(0x01, "ab"), .. Masked(0x89, "ping"), .. Masked(0x80, "cd"),
            .. Masked(0x41, hello.AsSpan(0, 3)), .. Masked(0x8A, "pong"), .. Masked(0x80, hello.AsSpan(3)), .. Masked(0x88, [3, 0xE8]),
        ];
        for (int length = 0; length <= stream.Length; length++)
        {
            foreach (int[] chunks in (int[][])[[length], Chunking.Singles(length)])
            {
                var pool = new TrackingArrayPool();
                var reader = CreateReader(pool, _limits, Shared);
                ReadRun.Of(reader, stream.AsSpan(0, length), chunks);

                reader.Dispose();
                reader.Dispose();

                pool.AssertBalanced();
                Assert.InRange(_shared.IdleInflaterCount, 0, 1);
                Assert.Equal(MessageEvent.Violation, reader.Read(stream, out int consumed, out _));
                Assert.Equal(stream.Length, consumed);
            }
        }

        Assert.Equal(1, _shared.IdleInflaterCount);
    }

    [Fact]
    public void Disposing_WhileAMessageIsOutGivesItBack()
    {
        var pool = new TrackingArrayPool();
        var reader = CreateReader(pool);
        Assert.Equal(MessageEvent.Message, reader.Read([.. Masked(0x01, "ab"), .. Masked(0x80, "cd")], out _, out _));
        reader.Dispose();
        reader.ReleaseMessage();
        pool.AssertBalanced();
    }

    [Fact]
    public void NextRead_ReleasesTheMessageBefore()
    {
        var pool = new TrackingArrayPool();
        using var reader = CreateReader(pool);
        reader.Read([.. Masked(0x01, "ab"), .. Masked(0x80, "cd")], out _, out _);
        Assert.Equal(1, pool.LentCount);
        reader.Read([], out _, out _);
        pool.AssertBalanced();
    }

    [Fact]
    public void AfterAViolation_NothingMoreIsRead()
    {
        using var reader = CreateReader(new TrackingArrayPool());
        Assert.Equal(MessageEvent.Violation, reader.Read(Masked(0x83), out _, out _));
        Assert.Equal(MessageEvent.Violation, reader.Read(Masked(0x81, "Hello"), out int consumed, out var payload));
        Assert.Equal(11, consumed);
        Assert.True(payload.IsEmpty);
        Assert.Same(ProtocolViolation.ReservedOpcode, reader.Violation);
        Assert.False(reader.IsMidMessage);
    }

    [Fact]
    public void MidMessage_IsFromTheFirstByteToTheLast()
    {
        using var reader = CreateReader(new TrackingArrayPool());
        byte[] stream = [.. Masked(0x01, "ab"), .. Masked(0x89, "p"), .. Masked(0x80, "c")];
        Assert.False(reader.IsMidMessage);
        for (int i = 0; i < stream.Length; i++)
        {
            reader.Read(stream.AsSpan(i, 1), out _, out _);
            Assert.Equal(i < stream.Length - 1, reader.IsMidMessage);
        }
    }

    // Nothing but the one buffer, which doubles: a message that comes byte by byte costs little more than one that comes whole.
    [Fact]
    public void ByteByByte_CostsNoObjectPerByte()
    {
        var limits = new MessageLimits(64 * 1024, 64 * 1024, 16);
        byte[] message = Masked(0x81, new string('a', 60 * 1024));
        using (var warm = CreateReader(null, limits))
        {
            ReadEachByte(warm, [.. message]);
        }

        using var reader = CreateReader(null, limits);
        byte[] received = [.. message];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(MessageEvent.Message, ReadEachByte(reader, received));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * 60 * 1024);
    }

    private static MessageEvent ReadEachByte(MessageReader reader, byte[] received)
    {
        var found = MessageEvent.None;
        for (int i = 0; i < received.Length; i++)
        {
            found = reader.Read(received.AsSpan(i, 1), out _, out _);
        }

        return found;
    }

    private InflaterSource Shared => new(_shared, null);

    private static MessageReader CreateReader(TrackingArrayPool? pool, MessageLimits? limits = null, InflaterSource inflaters = default) =>
        new(EndpointRole.Server, limits ?? _limits, pool ?? System.Buffers.ArrayPool<byte>.Shared, inflaters);

    private static byte[] Compress(byte[] message)
    {
        using var deflater = DeflateProvider.Current.CreateDeflater(level: 9, windowBits: 15, hasContextTakeover: false);
        return deflater.Compress(message);
    }

    private static string Read(byte[] stream, MessageLimits limits)
    {
        using var reader = CreateReader(new TrackingArrayPool(), limits);
        return Describe(ReadRun.Of(reader, stream, stream.Length));
    }

    // Whole, in two chunks at every place, and one byte at a time.
    private static string ReadCutEverywhere(byte[] stream, EndpointRole role = EndpointRole.Server, InflaterSource inflaters = default)
    {
        var cuts = Enumerable.Range(1, stream.Length - 1).Select(cut => (int[])[cut, stream.Length - cut]);
        return ReadAlike(stream, [[stream.Length], Chunking.Singles(stream.Length), .. cuts], role, _limits, inflaters);
    }

    private static string ReadInSomeWays(byte[] stream, MessageLimits limits, InflaterSource inflaters = default) =>
        ReadAlike(stream, Chunking.Of(stream.Length, 10, new Random(1)), EndpointRole.Server, limits, inflaters);

    private static string ReadAlike(
        byte[] stream, IEnumerable<int[]> chunkings, EndpointRole role, MessageLimits limits, InflaterSource inflaters)
    {
        string? first = null;
        foreach (int[] chunks in chunkings)
        {
            var pool = new TrackingArrayPool();
            using var reader = new MessageReader(role, limits, pool, inflaters);
            string result = Describe(ReadRun.Of(reader, stream, chunks));
            first ??= result;
            Assert.True(first == result, $"{first} in one piece, but {result} in {chunks.Length} chunks, the first of {chunks[0]}");
            reader.ReleaseMessage();
            Assert.True(pool.LentCount == 0 || reader.IsMidMessage, "An idle reader holds a buffer.");
            reader.Dispose();
            pool.AssertBalanced();
        }

        return first!;
    }

    private static string Describe(ReadRun run) => string.Join(
        '|',
        [
            .. run.Events.Select(read => (read.Kind switch
            {
                MessageEvent.Message when read.IsText => "text " + Encoding.UTF8.GetString(read.Payload),
                MessageEvent.Message => "binary " + Convert.ToHexString(read.Payload),
                MessageEvent.Close => "close " + Convert.ToHexString(read.Payload),
                var kind => kind.ToString().ToLowerInvariant() + " " + Encoding.UTF8.GetString(read.Payload),
            }).TrimEnd(' ')),
            .. run.Violation is { } violation ? (string[])[violation.Reason] : [],
        ]);
}
