using System.Text.Json;
using Shockwave.Testing;

namespace Shockwave.Browser;

/// <summary>new WebSocket() in a page, as any page uses it.</summary>
public sealed class RawWebSocketTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "permessage-deflate; server_no_context_takeover; client_no_context_takeover")]
    public async Task EveryKindOfMessage_ComesBackAsItWas(bool isCompressionEnabled, string extensions)
    {
        await using var server = await ServeProcess.StartAsync($"--Shockwave:Compression:Enabled={isCompressionEnabled}");
        string found = await chromium.Peer.RunAsync("raw_echo", new { url = server.Page, address = server.Socket("echo") });
        var actual = JsonSerializer.Deserialize<Findings>(found, JsonSerializerOptions.Web);
        Assert.Equal(
            new Findings(extensions, "Grüße 👋", "", 0, Buffer: true, Blob: true, 64 * 1024, AsBlob: true, 4001, WasClean: true, 1009, actual!.Reason), actual);
        Assert.NotEmpty(actual.Reason);
    }

    private sealed record Findings(
        string Extensions, string Text, string EmptyText, int EmptyBinary, bool Buffer, bool Blob, int LargeText, bool AsBlob, int Code, bool WasClean, int TooBigCode, string Reason);
}
