using Shockwave.Testing;

namespace Shockwave.Interop.Serving;

/// <summary>What curl sees of an opening handshake that is refused.</summary>
public sealed class RefusalTests(Servers servers)
{
    private const string Key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    private const string Version = "Sec-WebSocket-Version: 13";
    private const string Upgrade = "Upgrade: websocket";
    private const string Connection = "Connection: Upgrade";

    [Fact]
    public async Task RequestWithoutUpgrade_Gets426()
    {
        string answer = await CurlAsync("echo");
        Assert.StartsWith("HTTP/1.1 426 ", answer);
        Assert.Contains("Upgrade: websocket\n", answer);
    }

    [Fact]
    public async Task ForeignOrigin_Gets403_ThatNamesTheOptionToSet()
    {
        string answer = await CurlAsync("echo", Connection, Upgrade, Version, Key, "Origin: https://evil.example");
        Assert.StartsWith("HTTP/1.1 403 ", answer);
        Assert.Contains("Shockwave:AllowedOrigins", answer);
    }

    [Fact]
    public async Task OwnOriginUnderTheOtherScheme_Gets403_ThatNamesTheProxyOption()
    {
        var server = await servers.Default;
        string answer = await CurlAsync("echo", Connection, Upgrade, Version, Key, $"Origin: https://{server.Page.Authority}");
        Assert.StartsWith("HTTP/1.1 403 ", answer);
        Assert.Contains("ForwardedHeadersOptions.KnownProxies", answer);
    }

    [Fact]
    public async Task Post_Gets405_ThatAllowsGet()
    {
        string answer = await RunAsync("echo", "-X", "POST", "-H", Connection, "-H", Upgrade, "-H", Version, "-H", Key);
        Assert.StartsWith("HTTP/1.1 405 ", answer);
        Assert.Contains("Allow: GET\n", answer);
    }

    [Theory]
    [InlineData("Sec-WebSocket-Key: short")]
    [InlineData("Sec-WebSocket-Key;")]
    public async Task BadKey_Gets400(string key)
    {
        string answer = await CurlAsync("echo", Connection, Upgrade, Version, key);
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("Sec-WebSocket-Key", answer);
    }

    [Fact]
    public async Task OtherVersion_Gets426_ThatNamesVersion13()
    {
        string answer = await CurlAsync("echo", Connection, Upgrade, Key, "Sec-WebSocket-Version: 8");
        Assert.StartsWith("HTTP/1.1 426 ", answer);
        Assert.Contains("Sec-WebSocket-Version: 13\n", answer);
    }

    [Fact]
    public async Task TopicNameOfMoreThan64Characters_Gets404() =>
        Assert.StartsWith("HTTP/1.1 404 ", await CurlAsync($"topic/{new string('n', 65)}", Connection, Upgrade, Version, Key));

    [Fact]
    public async Task Healthz_SaysOk()
    {
        string answer = await CurlAsync("healthz");
        Assert.StartsWith("HTTP/1.1 200 ", answer);
        Assert.EndsWith("\nok", answer);
    }

    [Fact]
    public async Task LivePage_ForbidsEverythingButItsOwnFiles() =>
        Assert.Contains("Content-Security-Policy: default-src 'none'; script-src 'self';", await CurlAsync(""));

    private Task<string> CurlAsync(string path, params string[] headers) => RunAsync(path, [.. headers.SelectMany(header => new[] { "-H", header })]);

    private async Task<string> RunAsync(string path, params string[] arguments)
    {
        var server = await servers.Default;
        var (exitCode, output) = await ChildProcess.RunAsync("curl", ["-sS", "-i", "--http1.1", "--max-time", "30", .. arguments, $"{server.Page}{path}"]);
        Assert.True(exitCode == 0, $"curl ended with code {exitCode}: {output}");
        return output;
    }
}
