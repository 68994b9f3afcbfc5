using System.Diagnostics;

namespace Shockwave.Protocol.Tests;

public sealed class ExtensionHeaderTests
{
    [Theory]
    [InlineData("foo", "foo")]
    [InlineData("foo; a; b=2; c=\"3\"", "foo;a;b=2;c=3")]
    [InlineData(" foo ;\ta = 1 , bar ", "foo;a=1,bar")]
    [InlineData("foo,,bar,", "foo,bar")]
    [InlineData(", ,foo", "foo")]
    [InlineData("foo;a;a=1", "foo;a;a=1")]
    [InlineData("foo;a=\"\\1\\2\"", "foo;a=12")]
    [InlineData("!#$%&'*+-.^_`|~;a", "!#$%&'*+-.^_`|~;a")]
    public void LegalHeader_IsRead(string line, string expected) => Assert.Equal(expected, Read(line));

    [Theory]
    [InlineData("")]
    [InlineData(" , ,")]
    [InlineData(";a")]
    [InlineData("foo;")]
    [InlineData("foo;;a")]
    [InlineData("foo;a=")]
    [InlineData("foo;=1")]
    [InlineData("foo;a=1=2")]
    [InlineData("foo bar")]
    [InlineData("foo;a b")]
    [InlineData("foo;a=\"\"")]
    [InlineData("foo;a=\"")]
    [InlineData("foo;a=\"1")]
    [InlineData("foo;a=\"1\\\"")]
    [InlineData("foo;a=\"1\\")]
    [InlineData("foo;a=\"\\\\\"")]
    [InlineData("foo;a=\" 10\"")]
    [InlineData("foo;a=\"1;b\"")]
    [InlineData("foo;a=\"1,b\"")]
    [InlineData("foo;a=\"1\"2")]
    [InlineData("\"foo\"")]
    [InlineData("foo=1")]
    [InlineData("foo/1")]
    [InlineData("foo\r\nbar")]
    [InlineData("foo\0")]
    [InlineData("fö")]
    [InlineData("foo;a=\u0661")]
    public void IllegalHeader_IsAnErrorAndNotAnException(string line)
    {
        Assert.False(ExtensionHeader.TryParse([line], out var extensions, out string? error));
        Assert.Empty(extensions);
        Assert.NotEmpty(error);
    }

    [Fact]
    public void Lines_AreOneList()
    {
        Assert.Equal("a,b;c,d", Read("a, b;c", "", "d"));
        Assert.Equal("", Read());
        Assert.False(ExtensionHeader.TryParse(["a;", "b"], out _, out _));
        Assert.False(ExtensionHeader.TryParse(["a;\"", "b"], out _, out _));
    }

    [Fact]
    public void Elements_AreLimited()
    {
        string most = string.Join(',', Enumerable.Repeat("a", ExtensionHeader.MaxElements));
        Assert.True(ExtensionHeader.TryParse([most], out _, out _));
        Assert.False(ExtensionHeader.TryParse([most + ",a"], out _, out string? error));
        Assert.Equal("too many extensions or parameters", error);
        Assert.False(ExtensionHeader.TryParse([most + ";a"], out _, out _));
        Assert.False(ExtensionHeader.TryParse([most, "a"], out _, out _));
    }

    [Theory]
    [InlineData("a;", "")]
    [InlineData("a,", "")]
    [InlineData(",", "")]
    [InlineData("\t ", "")]
    [InlineData("a", "")]
    [InlineData("\\", "a;b=\"")]
    [InlineData("\\a", "a;b=\"")]
    [InlineData("a", "a;b=\"")]
    [InlineData("\"", "a;b=\"")]
    [InlineData("=", "a;b")]
    public void HostileHeader_TakesLinearTime(string pattern, string prefix)
    {
        string small = prefix + string.Concat(Enumerable.Repeat(pattern, 1024 / pattern.Length));
        string large = prefix + string.Concat(Enumerable.Repeat(pattern, 32 * 1024 / pattern.Length));

        // The least of many runs; a floor under the small one, whose time is otherwise the clock's grain.
        double smallTime = Math.Max(Time(small), 500);
        double largeTime = Time(large);
        Assert.True(largeTime <= 64 * smallTime, $"{largeTime} ns for 32 KB, {smallTime} ns for 1 KB");
    }

    private static double Time(string line)
    {
        TimeSpan best = TimeSpan.MaxValue;
        for (int i = 0; i < 50; i++)
        {
            var watch = Stopwatch.StartNew();
            _ = ExtensionHeader.TryParse([line], out _, out _);
            best = watch.Elapsed < best ? watch.Elapsed : best;
        }

        return best.TotalNanoseconds;
    }

    private static string Read(params string[] lines)
    {
        Assert.True(ExtensionHeader.TryParse(lines, out var extensions, out string? error), error);
        Assert.Null(error);
        return string.Join(',', extensions.Select(extension => string.Join(
            ';',
            extension.Parameters.Select(parameter => parameter.Value is null ? parameter.Name : $"{parameter.Name}={parameter.Value}").Prepend(extension.Name))));
    }
}
