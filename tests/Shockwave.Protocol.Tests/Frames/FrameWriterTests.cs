using System.Buffers;
using System.Text;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Protocol.Tests;

public sealed class FrameWriterTests
{
    [Fact]
    public void Server_WritesFramesWithoutAMask()
    {
        using var writer = new FrameWriter();
        writer.WriteFrame(Opcode.Text, "Hel"u8, isFinal: false);
        writer.WriteFrame(Opcode.Ping, []);
        writer.WriteFrame(Opcode.Continuation, "lo"u8);
        writer.WriteFrame(Opcode.Binary, [0], isCompressed: true);

        byte[] expected = [.. Unmasked(0x01, "Hel"), .. Unmasked(0x89), .. Unmasked(0x80, "lo"), .. Unmasked(0xC2, [0])];
        Assert.Equal(expected, writer.Written.ToArray());
    }

    [Fact]
    public void Client_MasksEachFrameWithAFreshKey()
    {
        uint next = 1;
        using var writer = new FrameWriter(() => next++);
        writer.WriteFrame(Opcode.Text, "Hello"u8);
        writer.WriteFrame(Opcode.Binary, new byte[200]);

        using var reader = new FrameReader(EndpointRole.Server);
        reader.Append(writer.Written.Span);
        Assert.Equal(OperationStatus.Done, reader.ReadFrame(out var header, out var payload));
        Assert.Equal(1u, header.MaskingKey);
        Assert.Equal("Hello", Encoding.UTF8.GetString(payload));
        Assert.Equal(OperationStatus.Done, reader.ReadFrame(out header, out payload));
        Assert.Equal(2u, header.MaskingKey);
        Assert.Equal(new byte[200], payload.ToArray());
    }

    [Fact]
    public void RfcExample_IsReproduced()
    {
        // RFC 6455 §5.7: a single-frame masked text message.
        using var writer = new FrameWriter(() => BitConverter.ToUInt32(Key));
        writer.WriteFrame(Opcode.Text, "Hello"u8);
        Assert.Equal("818537FA213D7F9F4D5158", Convert.ToHexString(writer.Written.Span));
    }

    [Fact]
    public void Buffer_GrowsAndIsKeptWhenCleared()
    {
        var pool = new TrackingArrayPool();
        var writer = new FrameWriter(pool);
        for (int i = 0; i < 10; i++)
        {
            writer.WriteFrame(Opcode.Binary, new byte[1000]);
        }

        Assert.Equal(10 * 1004, writer.Written.Length);
        int rented = pool.RentCount;
        writer.Clear();
        Assert.True(writer.Written.IsEmpty);
        writer.WriteFrame(Opcode.Binary, new byte[5000]);
        Assert.Equal(rented, pool.RentCount);
        writer.Dispose();
        writer.Dispose();
        pool.AssertBalanced();
    }

    [Fact]
    public void IllegalControlFrame_IsRefusedAndLeavesNoTrace()
    {
        using var writer = new FrameWriter();
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.WriteFrame(Opcode.Ping, new byte[126]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.WriteFrame(Opcode.Close, [], isFinal: false));
        Assert.True(writer.Written.IsEmpty);
    }

    [Fact]
    public void KeySource_IsNeeded() => Assert.Throws<ArgumentNullException>(() => new FrameWriter(maskingKeys: null!));

    [Fact]
    public void Disposed_WriterWritesNothing()
    {
        var writer = new FrameWriter();
        writer.WriteFrame(Opcode.Text, []);
        writer.Dispose();
        Assert.True(writer.Written.IsEmpty);
        Assert.Throws<ObjectDisposedException>(() => writer.WriteFrame(Opcode.Text, []));
    }
}
