namespace Shockwave.Protocol.Tests;

public sealed class HeaderValuesTests
{
    [Fact]
    public void AbsentHeader_HasNoLines()
    {
        Assert.Equal(0, default(HeaderValues).Count);
        Assert.Equal(0, ((HeaderValues)(string?)null).Count);
        Assert.Equal(0, ((HeaderValues)(string?[]?)null).Count);
        Assert.Equal(0, new HeaderValues(Array.Empty<string>()).Count);
    }

    [Fact]
    public void Lines_AreGivenInOrderAndNullAsEmpty()
    {
        HeaderValues one = "a";
        HeaderValues several = new string?[] { "b", null };
        Assert.Equal("a", one[0]);
        Assert.Equal((2, "b", ""), (several.Count, several[0], several[1]));
    }

    [Fact]
    public void LineThatIsNotThere_IsTheCallersMistake()
    {
        Assert.Throws<ArgumentOutOfRangeException>("index", () => default(HeaderValues)[0]);
        Assert.Throws<ArgumentOutOfRangeException>("index", () => new HeaderValues("a")[1]);
        Assert.Throws<ArgumentOutOfRangeException>("index", () => new HeaderValues(new[] { "a" })[-1]);
    }

    [Theory]
    [InlineData("upgrade")]
    [InlineData("UpGrAdE")]
    [InlineData("keep-alive, Upgrade")]
    [InlineData("Upgrade,keep-alive")]
    [InlineData(",, \t,\tupgrade ,")]
    [InlineData("keep-alive", "upgrade")]
    [InlineData("", "x,upgrade")]
    public void Token_IsFoundInAnyLineAndCase(params string[] lines) => Assert.True(new HeaderValues(lines).ContainsToken("upgrade"));

    [Theory]
    [InlineData]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("upgrades")]
    [InlineData("no-upgrade")]
    [InlineData("up", "grade")]
    [InlineData("upgrade;q=1")]
    [InlineData("upgrade/1")]
    [InlineData("\"upgrade\"")]
    [InlineData("keep-alive upgrade")]
    [InlineData("upgrade\0")]
    [InlineData("\vupgrade")]
    [InlineData("\u00A0upgrade")]
    [InlineData("UPGR\u00C4DE")]
    public void Token_IsNotFoundInPartOfAnother(params string[] lines) => Assert.False(new HeaderValues(lines).ContainsToken("upgrade"));

    [Fact]
    public void LetterOutsideAscii_NeverEqualsOneInside() =>
        // U+212A, the Kelvin sign, becomes k in lower case.
        Assert.False(new HeaderValues("websoc\u212Aet").ContainsToken("websocket"));
}
