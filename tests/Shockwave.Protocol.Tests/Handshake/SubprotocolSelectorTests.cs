namespace Shockwave.Protocol.Tests;

public sealed class SubprotocolSelectorTests
{
    [Theory]
    [InlineData("a", "a", "a")]
    [InlineData("b, a", "a b", "b")] // the client's preference
    [InlineData("x,\ta ,b", "b a", "a")]
    [InlineData("x, y", "a b", null)]
    [InlineData("A", "a", null)] // case counts
    [InlineData("ab", "a b", null)]
    [InlineData("a", "", null)]
    public void FirstSupportedOne_IsSelected(string offered, string supported, string? expected) =>
        Assert.Equal(expected, SubprotocolSelector.Select(offered, supported.Split(' ')));

    [Fact]
    public void Lines_AreOneList()
    {
        Assert.Equal("b", SubprotocolSelector.Select(new[] { "x", "y, b", "a" }, ["a", "b"]));
        Assert.Null(SubprotocolSelector.Select(default, ["a", "b"]));
    }

    [Fact]
    public void SelectedString_IsTheServersOwn()
    {
        string own = "chat";
        Assert.Same(own, SubprotocolSelector.Select(new string(own), [own]));
    }

    [Fact]
    public void Time_IsLinear() => LinearTime.Assert(length =>
    {
        HeaderValues offered = string.Concat(Enumerable.Repeat("a,", length / 2));
        return () => SubprotocolSelector.Select(offered, ["b", "c", "d"]);
    });

    [Fact]
    public void NoSupportedList_IsTheCallersMistake() =>
        Assert.Throws<ArgumentNullException>("supported", () => SubprotocolSelector.Select("a", null!));
}
