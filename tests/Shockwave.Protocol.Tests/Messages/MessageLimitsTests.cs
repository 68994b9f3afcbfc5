using System.Buffers;

namespace Shockwave.Protocol.Tests;

/// <summary>Deflate makes what does not compress longer; the limits are about what was sent, not about that.</summary>
public sealed class MessageLimitsTests
{
    private const int Limit = 100_000;

    [Theory]
    [InlineData(Limit, Limit, 1, null)]
    [InlineData(Limit, Limit, 3, null)]
    [InlineData(Limit + 1, Limit, 1, "message is too big")]
    [InlineData(Limit + 1, Limit, 3, "message is too big")]
    [InlineData(Limit, Limit - 1, 1, "frame is too big")]
    public void MessageThatDoesNotCompress_IsRefusedOnlyAboveTheLimit(int length, int maxFrameBytes, int fragmentCount, string? reason)
    {
        byte[] message = new byte[length];
        new Random(1).NextBytes(message);
        byte[] stream = Frames(Store(message), fragmentCount);
        using var reader = CreateReader(maxFrameBytes);

        var found = reader.Read(stream, out _, out var payload);

        Assert.Equal(reason, reader.Violation?.Reason);
        Assert.Equal(reason is null ? MessageEvent.Message : MessageEvent.Violation, found);
        Assert.True(reason is not null || payload.SequenceEqual(message));
    }

    [Fact]
    public void OctetsOnTheWire_AreLimitedEvenWhereTheyInflateToNothing()
    {
        // Empty stored blocks without end.
        byte[] blocks = [.. Enumerable.Repeat<byte[]>([0, 0, 0, 0xFF, 0xFF], Limit / 4).SelectMany(block => block)];
        using var reader = CreateReader(Limit);

        Assert.Equal(MessageEvent.Violation, reader.Read(Frames(blocks, 2), out _, out _));
        Assert.Equal("message is too big", reader.Violation?.Reason);
    }

    private static MessageReader CreateReader(int maxFrameBytes) => new(
        EndpointRole.Client, new MessageLimits(Limit, maxFrameBytes, 16), ArrayPool<byte>.Shared, new InflaterSource(new SharedDeflate(DeflateProvider.Current, level: 1), null));

    // As stored blocks of 16 KiB, which is how zlib writes what does not compress; the empty one at the end is the message's tail.
    private static byte[] Store(byte[] message) =>
    [
        .. message.Chunk(16 * 1024).SelectMany(chunk => new byte[] { 0, (byte)chunk.Length, (byte)(chunk.Length >> 8), (byte)~chunk.Length, (byte)(~chunk.Length >> 8) }.Concat(chunk)),
        0,
    ];

    private static byte[] Frames(byte[] payload, int count)
    {
        var stream = new List<byte>();
        byte[][] parts = [.. payload.Chunk((payload.Length + count - 1) / count)];
        for (int i = 0; i < parts.Length; i++)
        {
            byte[] header = new byte[FrameCodec.MaxHeaderBytes];
            var frame = new FrameHeader(i == 0 ? Opcode.Binary : Opcode.Continuation, parts[i].Length, isFinal: i == parts.Length - 1, isCompressed: i == 0);
            stream.AddRange(header.AsSpan(0, FrameCodec.EncodeHeader(header, frame)));
            stream.AddRange(parts[i]);
        }

        return [.. stream];
    }
}
