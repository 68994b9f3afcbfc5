using Shockwave.Testing;

namespace Shockwave.Browser;

/// <summary>The page at / of `shockwave serve`, in Chromium.</summary>
public sealed class LivePageTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task MessageOfOneTab_IsShownInTheOther() => await PlayAsync("two_tabs");

    [Fact]
    public async Task Topics_AreApart_WhateverTheirNames() => await PlayAsync("topics_are_apart");

    [Fact]
    public async Task Figures_FollowConnectionsAndMessages() => await PlayAsync("figures");

    [Fact]
    public async Task HostileText_IsShownAsItIs_AndRunsNothing() => await PlayAsync("hostile_text");

    [Fact]
    public async Task InlineScript_IsRefusedByThePagesPolicy() => await PlayAsync("inline_script_is_refused");

    [Fact]
    public async Task Restart_IsShown_AndThePageReconnects()
    {
        int port;
        await using (var server = await ServeProcess.StartAsync())
        {
            port = server.Page.Port;
            await chromium.Peer.RunAsync("stay", new { url = server.Page });
            Assert.Equal(0, await server.StopAsync());
        }

        await chromium.Peer.RunAsync("see_disconnected", new { });
        await chromium.Peer.RunAsync("screenshot_of_stayed", new { folder = Chromium.Screenshots, name = "disconnected" });
        await using var again = await ServeProcess.StartAsync(port, []);
        await chromium.Peer.RunAsync("see_reconnected", new { });
    }

    [Fact]
    public async Task Screenshots_AreTaken_WithoutAnyFault()
    {
        await using var server = await ServeProcess.StartAsync();
        await chromium.Peer.RunAsync("screenshots", new { url = server.Page, folder = Chromium.Screenshots });
        Assert.True(Directory.GetFiles(Chromium.Screenshots, "*.png").Length >= 8);
    }

    // Each with a server of its own: the figures are the server's.
    private async Task PlayAsync(string scenario)
    {
        await using var server = await ServeProcess.StartAsync();
        await chromium.Peer.RunAsync(scenario, new { url = server.Page });
    }
}
