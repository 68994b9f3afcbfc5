using System.Text;
using Shockwave.Testing;

namespace Shockwave.Protocol.Tests;

public sealed class ClosePayloadTests
{
    // RFC 6455 §7.4 and the IANA registry.
    private static bool IsLegal(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    [Fact]
    public void EveryCode_IsJudgedByTheRegistry()
    {
        for (int code = 0; code <= ushort.MaxValue; code++)
        {
            var violation = ClosePayload.Decode(RawFrame.ClosePayload(code), out var received, out string reason);
            Assert.Equal(IsLegal(code), ClosePayload.IsValidOnWire((CloseCode)code));
            Assert.Same(IsLegal(code) ? null : ProtocolViolation.InvalidCloseCode, violation);
            Assert.Equal(IsLegal(code) ? code : 1005, (int)received);
            Assert.Equal("", reason);
        }
    }

    [Fact]
    public void EmptyPayload_MeansNoCode()
    {
        Assert.Null(ClosePayload.Decode([], out var code, out string reason));
        Assert.Equal(CloseCode.NoStatusReceived, code);
        Assert.Equal("", reason);
    }

    [Fact]
    public void OneByte_IsNoCode() => Assert.Same(ProtocolViolation.CloseBodyTooShort, ClosePayload.Decode([3], out _, out _));

    [Fact]
    public void Reason_IsDecoded()
    {
        Assert.Null(ClosePayload.Decode(RawFrame.ClosePayload(1001, "auf Wiedersehen \u00FC"u8), out var code, out string reason));
        Assert.Equal(CloseCode.GoingAway, code);
        Assert.Equal("auf Wiedersehen \u00FC", reason);
    }

    [Theory]
    [InlineData("C0")]
    [InlineData("E2 82")]
    [InlineData("ED A0 80")]
    [InlineData("61 FF 62")]
    public void Reason_MustBeUtf8(string hex)
    {
        byte[] payload = RawFrame.ClosePayload(1000, Convert.FromHexString(hex.Replace(" ", "")));
        Assert.Same(ProtocolViolation.InvalidCloseReason, ClosePayload.Decode(payload, out var code, out string reason));
        Assert.Equal(CloseCode.NoStatusReceived, code);
        Assert.Equal("", reason);
    }

    [Theory]
    [InlineData(1000, "")]
    [InlineData(4999, "\u20AC")]
    [InlineData(1005, "")]
    public void Encoding_IsWhatDecodingReads(int code, string reason)
    {
        var payload = new byte[FrameCodec.MaxControlPayloadBytes];
        int length = ClosePayload.Encode(payload, (CloseCode)code, reason);
        Assert.Equal(code == 1005 ? 0 : 2 + Encoding.UTF8.GetByteCount(reason), length);
        Assert.Null(ClosePayload.Decode(payload.AsSpan(0, length), out var received, out string decoded));
        Assert.Equal(code, (int)received);
        Assert.Equal(reason, decoded);
    }

    [Fact]
    public void Reason_FillsAControlFrameAtMost()
    {
        var payload = new byte[FrameCodec.MaxControlPayloadBytes];
        string longest = new('\u20AC', 41);
        Assert.Equal(125, ClosePayload.Encode(payload, CloseCode.NormalClosure, longest));
        Assert.Throws<ArgumentException>(() => ClosePayload.Encode(payload, CloseCode.NormalClosure, longest + "a"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1004)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(2999)]
    [InlineData(5000)]
    public void Code_ThatMustNotBeSentIsRefused(int code) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ClosePayload.Validate((CloseCode)code, ""));

    [Fact]
    public void Reason_NeedsACodeAndWellFormedText()
    {
        Assert.Throws<ArgumentException>(() => ClosePayload.Validate(CloseCode.NoStatusReceived, "why"));
        Assert.Throws<ArgumentException>(() => ClosePayload.Validate(CloseCode.NormalClosure, "\uD800"));
        ClosePayload.Validate(CloseCode.NoStatusReceived, "");
    }
}
