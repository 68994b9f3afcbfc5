using System.Buffers;

namespace Shockwave.Protocol.Tests;

public sealed class FrameCodecTests
{
    [Theory]
    [InlineData(0, 2)]
    [InlineData(125, 2)]
    [InlineData(126, 4)]
    [InlineData(65535, 4)]
    [InlineData(65536, 10)]
    [InlineData(long.MaxValue, 10)]
    public void Header_RoundTripsWithTheShortestLength(long length, int expectedBytes)
    {
        foreach (bool masked in (bool[])[false, true])
        {
            var header = masked ? new FrameHeader(Opcode.Binary, length, 0x11223344u) : new FrameHeader(Opcode.Binary, length);
            var bytes = new byte[FrameCodec.MaxHeaderBytes];
            int written = FrameCodec.EncodeHeader(bytes, header);
            Assert.Equal(expectedBytes + (masked ? 4 : 0), written);
            Assert.Equal(written, FrameCodec.GetHeaderLength(length, masked));
            for (int cut = 0; cut < written; cut++)
            {
                Assert.Equal(OperationStatus.NeedMoreData, FrameCodec.DecodeHeader(bytes.AsSpan(0, cut), out _, out int none));
                Assert.Equal(0, none);
            }

            Assert.Equal(OperationStatus.Done, FrameCodec.DecodeHeader(bytes.AsSpan(0, written), out var decoded, out int consumed));
            Assert.Equal(written, consumed);
            Assert.Equal(header, decoded);
        }
    }

    [Fact]
    public void MaskingKey_KeepsItsWireOrder()
    {
        Assert.Equal(OperationStatus.Done, FrameCodec.DecodeHeader([0x81, 0x80, 1, 2, 3, 4], out var header, out _));
        Assert.Equal(BitConverter.ToUInt32([1, 2, 3, 4]), header.MaskingKey);
    }

    [Theory]
    [InlineData("83 00", "reserved opcode")]
    [InlineData("87 7F", "reserved opcode")]
    [InlineData("8B 00", "reserved opcode")]
    [InlineData("8F FF", "reserved opcode")]
    [InlineData("09 00", "fragmented control frame")]
    [InlineData("89 7E", "control frame over 125 bytes")]
    [InlineData("88 7F", "control frame over 125 bytes")]
    [InlineData("82 7E 00 7D", "length not minimally encoded")]
    [InlineData("82 7F 00 00 00 00 00 00 FF FF", "length not minimally encoded")]
    [InlineData("82 7F 80 00 00 00 00 00 00 00", "length with the top bit set")]
    [InlineData("82 7F FF FF FF FF FF FF FF FF", "length with the top bit set")]
    public void IllegalHeader_IsRefusedWithItsReason(string hex, string reason)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", ""));
        Assert.Equal(OperationStatus.InvalidData, FrameCodec.DecodeHeader(bytes, out _, out int consumed, out var violation));
        Assert.Equal(0, consumed);
        Assert.Equal(reason, violation!.Reason);
        Assert.Equal(CloseCode.ProtocolError, violation.CloseCode);
    }

    [Fact]
    public void Encoding_RefusesWhatRfc6455Forbids()
    {
        var bytes = new byte[FrameCodec.MaxHeaderBytes];
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameCodec.EncodeHeader(bytes, new FrameHeader(Opcode.Ping, 126)));
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameCodec.EncodeHeader(bytes, new FrameHeader(Opcode.Close, 0, isFinal: false)));
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameCodec.EncodeHeader(bytes, new FrameHeader(Opcode.Binary, -1)));
        Assert.Throws<ArgumentException>(() => FrameCodec.EncodeHeader(bytes.AsSpan(0, 3), new FrameHeader(Opcode.Binary, 126)));
    }
}
