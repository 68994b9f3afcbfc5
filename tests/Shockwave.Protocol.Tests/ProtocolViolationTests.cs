using System.Reflection;
using System.Text;

namespace Shockwave.Protocol.Tests;

public sealed class ProtocolViolationTests
{
    private static readonly ProtocolViolation[] _all =
    [
        .. typeof(ProtocolViolation).GetFields(BindingFlags.Static | BindingFlags.NonPublic)
            .Where(field => field.FieldType == typeof(ProtocolViolation))
            .Select(field => (ProtocolViolation)field.GetValue(null)!),
    ];

    [Fact]
    public void EveryViolation_CanBeSentAsItIs()
    {
        Assert.NotEmpty(_all);
        Assert.All(_all, violation =>
        {
            Assert.True(ClosePayload.IsValidOnWire(violation.CloseCode));
            Assert.InRange(Encoding.UTF8.GetByteCount(violation.Reason), 1, ClosePayload.MaxReasonBytes);
            Assert.Matches("^RFC (6455|7692) §[0-9.]+$", violation.Section);
        });
    }

    [Fact]
    public void EveryViolation_HasAReasonOfItsOwn() =>
        Assert.Equal(_all.Length, _all.Select(violation => violation.Reason).Distinct().Count());

    [Fact]
    public void Text_ShowsCodeReasonAndSection() =>
        Assert.Equal("1002 control frame over 125 bytes (RFC 6455 §5.5)", ProtocolViolation.ControlFrameTooLong.ToString());
}
