using System.Buffers;

namespace Shockwave.Protocol.Tests;

public sealed class MessageDeflaterTests
{
    public static TheoryData<string> Providers => DeflateProviders.Both;

    public static TheoryData<string, bool> ProvidersAndTakeover =>
        new(from provider in DeflateProviders.Both from takeover in (bool[])[false, true] select (provider.Data, takeover));

    [Theory]
    [MemberData(nameof(Providers))]
    public void EmptyMessage_IsOneZeroOctet(string provider)
    {
        using var deflater = DeflateProviders.Get(provider).CreateDeflater(1, 15, hasContextTakeover: true);
        Assert.Equal([0x00], deflater.Compress([]));
        Assert.NotEqual([0x00], deflater.Compress("a"u8));
        Assert.Equal([0x00], deflater.Compress([]));
    }

    [Theory]
    [MemberData(nameof(ProvidersAndTakeover))]
    public void TenThousandMessages_RoundTrip(string provider, bool hasContextTakeover)
    {
        var random = new Random(42);
        using var deflater = DeflateProviders.Get(provider).CreateDeflater(6, 15, hasContextTakeover);
        using var native = new NativeInflater(15);
        using var managed = new ManagedInflater(15);
        for (int i = 0; i < 10_000; i++)
        {
            byte[] message = DeflateProviders.CreateMessage(random, random.Next(i % 100 == 0 ? 40_000 : 400));
            byte[] payload = deflater.Compress(message);
            foreach (MessageInflater inflater in (MessageInflater[])[native, managed])
            {
                if (!hasContextTakeover)
                {
                    // A window that is empty: whatever refers to a message before is refused.
                    inflater.Reset();
                }

                Assert.Equal(message, inflater.Inflate(payload));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void EveryWindow_IsUnderstoodWithEveryLargerWindowWhateverTheLevel(string provider)
    {
        DeflateProvider sender = DeflateProviders.Get(provider);
        for (int senderBits = sender.MinWindowBits; senderBits <= 15; senderBits++)
        {
            for (int receiverBits = senderBits; receiverBits <= 15; receiverBits++)
            {
                // One level of each of zlib's ways to search.
                foreach (int level in (int[])[1, 2, 3, 6, 9])
                {
                    var random = new Random(senderBits);
                    using var deflater = sender.CreateDeflater(level, senderBits, hasContextTakeover: true);
                    using var native = new NativeInflater(receiverBits);
                    using var managed = new ManagedInflater(receiverBits);
                    for (int i = 0; i < 3; i++)
                    {
                        byte[] message = DeflateProviders.CreateMessage(random, 1 << (senderBits + 1));
                        byte[] payload = deflater.Compress(message);
                        Assert.Equal(message, native.Inflate(payload));
                        Assert.Equal(message, managed.Inflate(payload));
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void ContextTakeover_MakesARepeatedMessageSmaller(string provider)
    {
        byte[] message = new byte[500];
        new Random(3).NextBytes(message);
        using var with = DeflateProviders.Get(provider).CreateDeflater(6, 15, hasContextTakeover: true);
        using var without = DeflateProviders.Get(provider).CreateDeflater(6, 15, hasContextTakeover: false);
        Assert.True(with.Compress(message).Length > 500);
        Assert.True(with.Compress(message).Length < 50);
        Assert.Equal(without.Compress(message), without.Compress(message));
    }

    [Theory]
    [MemberData(nameof(ProvidersAndTakeover))]
    public void PayloadInSpansOfAnySize_IsTheSameMessage(string provider, bool hasContextTakeover)
    {
        var random = new Random(5);
        using var deflater = DeflateProviders.Get(provider).CreateDeflater(1, 15, hasContextTakeover);
        using var inflater = DeflateProviders.Get(provider).CreateInflater();
        for (int i = 0; i < 300; i++)
        {
            var output = new StingyWriter(extraBytes: random.Next(40));
            byte[] message = new byte[random.Next(200_000)];
            random.NextBytes(message.AsSpan(0, message.Length / 2));
            deflater.Compress(message, output);
            if (!hasContextTakeover)
            {
                inflater.Reset();
            }

            Assert.Equal(message, inflater.Inflate(output.Written.ToArray()));
        }
    }

    [Theory]
    [MemberData(nameof(ProvidersAndTakeover))]
    public void MessageWhoseWriterThrew_IsNotInTheNextPayload(string provider, bool hasContextTakeover)
    {
        using var deflater = DeflateProviders.Get(provider).CreateDeflater(1, 15, hasContextTakeover);
        byte[] secret = new byte[100_000];
        new Random(9).NextBytes(secret);
        foreach (int spans in (int[])[0, 1, 3])
        {
            Assert.Throws<InvalidOperationException>(() => deflater.Compress(secret, new StingyWriter(0, maxSpans: spans)));
            using var fresh = DeflateProviders.Get(provider).CreateInflater();
            Assert.Equal("public"u8.ToArray(), fresh.Inflate(deflater.Compress("public"u8)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(63)]
    public void WriterThatGivesLessThanAskedFor_IsRefused(int spanBytes)
    {
        using var deflater = new NativeDeflater(level: 1, windowBits: 15, hasContextTakeover: false);
        Assert.Throws<InvalidOperationException>(() => deflater.Compress(new byte[1000], new StingyWriter(spanBytes - 300)));
        using var peer = new ManagedInflater(15);
        Assert.Equal("public"u8.ToArray(), peer.Inflate(deflater.Compress("public"u8)));
    }

    [Fact]
    public void NativeCompression_AllocatesNothing()
    {
        foreach (bool hasContextTakeover in (bool[])[false, true])
        {
            using var deflater = new NativeDeflater(level: 1, windowBits: 15, hasContextTakeover);
            byte[] message = DeflateProviders.CreateMessage(new Random(1), 1024);
            var output = new ArrayBufferWriter<byte>(64 * 1024);
            Assert.Equal(0, DeflateProviders.AllocatedBytes(() =>
            {
                output.ResetWrittenCount();
                deflater.Compress(message, output);
            }));
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public void DisposedDeflater_Throws(string provider)
    {
        var deflater = DeflateProviders.Get(provider).CreateDeflater(1, 15, hasContextTakeover: true);
        deflater.Compress("a"u8);
        deflater.Dispose();
        deflater.Dispose();
        Assert.Throws<ObjectDisposedException>(() => deflater.Compress([]));
        Assert.Throws<ObjectDisposedException>(() => deflater.Compress("again"u8));
    }

    // Gives no more than was asked for, each time at another place, and may fail.
    private sealed class StingyWriter(int extraBytes, int maxSpans = int.MaxValue) : IBufferWriter<byte>
    {
        private byte[] _current = [];
        private int _spans;

        public List<byte> Written { get; } = [];

        public void Advance(int count)
        {
            Written.AddRange(_current.AsSpan(0, count));
            _current = [];
        }

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_spans++ == maxSpans)
            {
                throw new InvalidOperationException("full");
            }

            return _current = new byte[Math.Clamp(sizeHint, 1, 300) + extraBytes];
        }

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
