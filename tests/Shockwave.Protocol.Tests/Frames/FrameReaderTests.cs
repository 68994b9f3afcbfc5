using System.Buffers;
using System.Text;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Protocol.Tests;

public sealed class FrameReaderTests
{
    [Fact]
    public void Frames_AreReadHoweverTheirBytesAreCut()
    {
        byte[] stream = [.. Masked(0x01, "Hel"), .. Masked(0x89), .. Masked(0x80, "lo"), .. Masked(0x82, new byte[5000]), .. Masked(0x88, [3, 0xE8])];
        foreach (int[] chunks in Chunking.Of(stream.Length, 50, new Random(1)))
        {
            var pool = new TrackingArrayPool();
            using (var reader = new FrameReader(EndpointRole.Server, pool: pool))
            {
                var found = new List<string>();
                int position = 0;
                foreach (int chunk in chunks)
                {
                    reader.Append(stream.AsSpan(position, chunk));
                    position += chunk;
                    while (reader.ReadFrame(out var header, out var payload) == OperationStatus.Done)
                    {
                        found.Add($"{header.Opcode}{(header.IsFinal ? " FIN" : "")} {payload.Length}");
                    }
                }

                Assert.Equal("Text 3, Ping FIN 0, Continuation FIN 2, Binary FIN 5000, Close FIN 2", string.Join(", ", found));
                Assert.Equal(0, reader.BufferedBytes);
                Assert.Null(reader.Violation);
            }

            pool.AssertBalanced();
        }
    }

    [Fact]
    public void Payload_IsUnmasked()
    {
        using var reader = new FrameReader(EndpointRole.Server);
        reader.Append(Masked(0x81, "Hello"));
        Assert.Equal(OperationStatus.Done, reader.ReadFrame(out _, out var payload));
        Assert.Equal("Hello", Encoding.UTF8.GetString(payload));
        Assert.Equal(OperationStatus.NeedMoreData, reader.ReadFrame(out _, out _));
    }

    [Fact]
    public void Memory_CanBeReceivedInto()
    {
        using var reader = new FrameReader(EndpointRole.Client);
        byte[] frame = Unmasked(0x81, "Hello");
        foreach (byte each in frame)
        {
            reader.GetMemory().Span[0] = each;
            reader.Advance(1);
        }

        Assert.Equal(frame.Length, reader.BufferedBytes);
        Assert.Equal(OperationStatus.Done, reader.ReadFrame(out _, out var payload));
        Assert.Equal("Hello", Encoding.UTF8.GetString(payload));
        Assert.InRange(reader.GetMemory(10_000).Length, 10_000, int.MaxValue);
    }

    [Fact]
    public void Advancing_FurtherThanWasLentThrows()
    {
        using var reader = new FrameReader(EndpointRole.Server);
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.Advance(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.Advance(-1));
        int lent = reader.GetMemory().Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.Advance(lent + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.GetMemory(-1));
        reader.Advance(lent);
    }

    [Theory]
    [InlineData(EndpointRole.Server)]
    [InlineData(EndpointRole.Client)]
    public void Frame_CanBeReadIntoMemoryOnceItIsLargeEnough(EndpointRole role)
    {
        using var reader = new FrameReader(role);
        reader.Append(role == EndpointRole.Server ? Masked(0x81, "Hello") : Unmasked(0x81, "Hello"));
        var destination = new byte[8];

        Assert.Equal(OperationStatus.DestinationTooSmall, reader.ReadFrameInto(destination.AsSpan(0, 4), out var header, out int written));
        Assert.Equal(5, header.PayloadLength);
        Assert.Equal(0, written);
        Assert.Equal(OperationStatus.Done, reader.ReadFrameInto(destination, out _, out written));
        Assert.Equal("Hello", Encoding.UTF8.GetString(destination.AsSpan(0, written)));
        Assert.Equal(OperationStatus.NeedMoreData, reader.ReadFrameInto(destination, out _, out _));
    }

    [Theory]
    [InlineData(0x83, false, "reserved opcode")]
    [InlineData(0xC1, false, "reserved bit set")]
    [InlineData(0xC9, true, "reserved bit set")]
    [InlineData(0xA1, true, "reserved bit set")]
    [InlineData(0x91, true, "reserved bit set")]
    [InlineData(0xC1, true, null)]
    [InlineData(0x80, false, null)]
    public void Header_IsChecked(int first, bool allowCompressed, string? reason)
    {
        using var reader = new FrameReader(EndpointRole.Server, allowCompressed: allowCompressed);
        reader.Append([.. Masked(first), .. Masked(0x89)]);
        Assert.Equal(reason is null ? OperationStatus.Done : OperationStatus.InvalidData, reader.ReadFrame(out _, out _));
        Assert.Equal(reason, reader.Violation?.Reason);
        Assert.Equal(reason is null ? OperationStatus.Done : OperationStatus.InvalidData, reader.ReadFrameInto([], out _, out _));
    }

    [Fact]
    public void Role_DecidesWhoMasks()
    {
        using var server = new FrameReader(EndpointRole.Server);
        server.Append(Unmasked(0x81));
        Assert.Equal(OperationStatus.InvalidData, server.ReadFrame(out _, out _));
        Assert.Same(ProtocolViolation.NotMasked, server.Violation);

        using var client = new FrameReader(EndpointRole.Client);
        client.Append(Masked(0x81));
        Assert.Equal(OperationStatus.InvalidData, client.ReadFrame(out _, out _));
        Assert.Same(ProtocolViolation.Masked, client.Violation);
    }

    [Theory]
    [InlineData(99, true)]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public void PayloadLimit_IsExactAndCheckedBeforeThePayloadIsHere(int length, bool isAccepted)
    {
        var pool = new TrackingArrayPool();
        using var reader = new FrameReader(EndpointRole.Server, maxPayloadBytes: 100, pool: pool);
        reader.Append(MaskedHeader(0x82, length));
        Assert.Equal(isAccepted ? OperationStatus.NeedMoreData : OperationStatus.InvalidData, reader.ReadFrame(out _, out _));
        Assert.Equal(isAccepted ? null : "frame is too big", reader.Violation?.Reason);
        Assert.InRange(pool.LentBytes, 1, 4096);
    }

    [Fact]
    public void Limit_MustBePossible()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameReader(EndpointRole.Server, maxPayloadBytes: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameReader(EndpointRole.Server, maxPayloadBytes: int.MaxValue));
    }

    [Fact]
    public void Buffer_IsUsedAgainForWhatFollows()
    {
        var pool = new TrackingArrayPool();
        using var reader = new FrameReader(EndpointRole.Server, pool: pool);

        // Each round leaves half a frame, so the buffer is never empty; it moves to the front instead of growing.
        byte[] frame = Masked(0x82, new byte[100]);
        reader.Append(frame.AsSpan(0, 50));
        for (int i = 0; i < 1000; i++)
        {
            reader.Append([.. frame[50..], .. frame[..50]]);
            Assert.Equal(OperationStatus.Done, reader.ReadFrame(out _, out _));
            Assert.Equal(OperationStatus.NeedMoreData, reader.ReadFrame(out _, out _));
        }

        Assert.Equal(1, pool.RentCount);
    }

    [Fact]
    public void Disposed_ReaderHoldsNothingAndReadsNothing()
    {
        var pool = new TrackingArrayPool();
        var reader = new FrameReader(EndpointRole.Server, pool: pool);
        reader.Append(MaskedHeader(0x82, 5));
        reader.Append([]);
        reader.Dispose();
        reader.Dispose();
        pool.AssertBalanced();
        Assert.Throws<ObjectDisposedException>(() => reader.ReadFrame(out _, out _));
        Assert.Throws<ObjectDisposedException>(() => reader.ReadFrameInto([], out _, out _));
        Assert.Throws<ObjectDisposedException>(() => reader.Append([1]));
        Assert.Throws<ObjectDisposedException>(() => reader.GetMemory());
    }
}
