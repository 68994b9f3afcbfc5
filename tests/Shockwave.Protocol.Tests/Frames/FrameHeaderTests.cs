namespace Shockwave.Protocol.Tests;

public sealed class FrameHeaderTests
{
    [Fact]
    public void Header_TellsWhatItWasMadeOf()
    {
        var header = new FrameHeader(Opcode.Text, 5, 0x11223344u, isFinal: false, isCompressed: true);

        Assert.Equal(Opcode.Text, header.Opcode);
        Assert.Equal(5, header.PayloadLength);
        Assert.Equal(0x11223344u, header.MaskingKey);
        Assert.True(header.IsMasked);
        Assert.False(header.IsFinal);
        Assert.True(header.Rsv1);
        Assert.False(header.Rsv2);
        Assert.False(header.Rsv3);
        Assert.False(header.IsControl);
    }

    [Theory]
    [InlineData(Opcode.Continuation, false)]
    [InlineData(Opcode.Text, false)]
    [InlineData(Opcode.Binary, false)]
    [InlineData(Opcode.Close, true)]
    [InlineData(Opcode.Ping, true)]
    [InlineData(Opcode.Pong, true)]
    public void ControlFrames_AreTheOpcodesFrom8On(Opcode opcode, bool isControl) =>
        Assert.Equal(isControl, new FrameHeader(opcode, 0).IsControl);

    [Fact]
    public void ReservedBits_AreReadFromTheWire()
    {
        Assert.Equal(System.Buffers.OperationStatus.Done, FrameCodec.DecodeHeader([0xB1, 0x00], out var header, out _));
        Assert.False(header.Rsv1);
        Assert.True(header.Rsv2);
        Assert.True(header.Rsv3);
    }

    [Fact]
    public void Headers_AreEqualWhenEverythingIs()
    {
        var header = new FrameHeader(Opcode.Binary, 5, maskingKey: 1);
        FrameHeader[] others =
        [
            new(Opcode.Text, 5, maskingKey: 1),
            new(Opcode.Binary, 6, maskingKey: 1),
            new(Opcode.Binary, 5, maskingKey: 2),
            new(Opcode.Binary, 5, maskingKey: 1, isFinal: false),
            new(Opcode.Binary, 5),
        ];

        Assert.True(header == new FrameHeader(Opcode.Binary, 5, maskingKey: 1));
        Assert.True(header.Equals((object)new FrameHeader(Opcode.Binary, 5, maskingKey: 1)));
        Assert.Equal(header.GetHashCode(), new FrameHeader(Opcode.Binary, 5, maskingKey: 1).GetHashCode());
        Assert.All(others, other => Assert.True(header != other));
        Assert.False(new FrameHeader(Opcode.Binary, 5) == new FrameHeader(Opcode.Binary, 5, maskingKey: 0));
        Assert.False(header.Equals("header"));
    }

    [Fact]
    public void Text_ShowsWhatALogNeeds()
    {
        Assert.Equal("Text FIN RSV1 masked 5 bytes", new FrameHeader(Opcode.Text, 5, 1u, isCompressed: true).ToString());
        Assert.Equal("Continuation 0 bytes", new FrameHeader(Opcode.Continuation, 0, isFinal: false).ToString());
    }
}
