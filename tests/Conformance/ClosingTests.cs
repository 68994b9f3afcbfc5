using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>The closing handshake of a whole connection (RFC 6455 §7).</summary>
public sealed class ClosingTests
{
    [Fact]
    public async Task MessagesBehindOurCloseFrame_AreThrownAway()
    {
        int messages = 0;
        var server = new MemoryServer((connection, in _) =>
        {
            messages++;
            connection.Close((CloseCode)4000, "enough");
        });
        byte[] stream = [.. Masked(0x81, "one"), .. Masked(0x81, "two"), .. Masked(0x89, "ping"), .. Masked(0x88, RawFrame.ClosePayload(4000))];

        foreach (int[] chunks in (int[][])[[stream.Length], Chunking.Singles(stream.Length)])
        {
            messages = 0;
            var (frames, info) = await server.ServeAsync(stream, chunks);

            Assert.Equal(1, messages);
            Assert.Equal((Opcode.Close, "enough"), (Assert.Single(frames).Opcode, Encoding.UTF8.GetString(frames[0].Payload.AsSpan(2))));
            Assert.True(info.IsClean);
            Assert.False(info.IsPeerFirst);
        }
    }

    [Theory]
    [InlineData(1000, "bye")]
    [InlineData(4999, "")]
    [InlineData(1005, "")]
    public async Task PeersCloseFrame_IsAnsweredWithItsCodeOnceAndWhatFollowsIsIgnored(int code, string reason)
    {
        byte[] payload = code == 1005 ? [] : RawFrame.ClosePayload(code, Encoding.UTF8.GetBytes(reason));
        byte[] stream = [.. Masked(0x88, payload), .. Masked(0x81, "late"), .. Masked(0x89), .. Masked(0x88, payload), .. Masked(0x83)];
        foreach (int[] chunks in (int[][])[[stream.Length], Chunking.Singles(stream.Length)])
        {
            var (frames, info) = await new MemoryServer().ServeAsync(stream, chunks);

            var answer = Assert.Single(frames);
            Assert.Equal(Opcode.Close, answer.Opcode);
            Assert.Equal(code == 1005 ? [] : RawFrame.ClosePayload(code), answer.Payload);
            Assert.True(info.IsClean);
            Assert.True(info.IsPeerFirst);
            Assert.Equal(code, (int)info.Code);
            Assert.Equal(reason, info.Reason);
        }
    }

    [Fact]
    public async Task EndWithoutACloseFrame_IsReportedAs1006()
    {
        var (frames, info) = await new MemoryServer().ServeAsync(Masked(0x01, "half"), [10]);
        Assert.Empty(frames);
        Assert.Equal(CloseCode.AbnormalClosure, info.Code);
        Assert.IsType<EndOfStreamException>(info.Cause);
    }
}
