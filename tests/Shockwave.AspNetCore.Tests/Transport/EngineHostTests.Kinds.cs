using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Shockwave.AspNetCore.Tests;

public sealed partial class EngineHostTests
{
    [Theory]
    [InlineData(EngineKind.Auto, "EpollLoop", "epoll on 2 loops (")]
    [InlineData(EngineKind.Epoll, "EpollLoop", "epoll on 2 loops")]
    [InlineData(EngineKind.IoUring, "UringLoop", "io_uring on 2 loops")]
    public async Task EachKind_RunsItsLoopsAndSaysSo(EngineKind kind, string loop, string description)
    {
        await using var host = StartHost(new ShockwaveOptions { Engine = kind, Loops = 2 });
        Assert.Equal([loop, loop], host.Loops!.Loops.Select(loop => loop.GetType().Name));
        Assert.StartsWith(description, host.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ByDefault_ThereIsOneLoopForEachProcessor()
    {
        await using var host = StartHost(new ShockwaveOptions());
        Assert.Equal(Environment.ProcessorCount, host.Loops!.Loops.Count);
    }

    [Fact]
    public async Task Portable_HasNoLoops()
    {
        await using var host = StartHost(new ShockwaveOptions { Engine = EngineKind.Portable });
        Assert.Null(host.Loops);
        Assert.Equal("portable, as configured", host.Description);
    }

    [Fact]
    public async Task BusyPoll_ReachesEveryLoop_AndIsOffByDefault()
    {
        await using var quiet = StartHost(new ShockwaveOptions { Loops = 2 });
        await using var busy = StartHost(new ShockwaveOptions { Loops = 2, BusyPoll = TimeSpan.FromMilliseconds(5) });
        Assert.Equal([false, false], quiet.Loops!.Loops.Select(loop => loop.BusyPoll.IsEnabled));
        Assert.Equal([true, true], busy.Loops!.Loops.Select(loop => loop.BusyPoll.IsEnabled));
    }

    [Fact]
    public async Task Dispose_MayBeRepeated()
    {
        var host = StartHost(new ShockwaveOptions { Loops = 1 });
        await host.DisposeAsync();
        await host.DisposeAsync();
        host.Dispose();
    }

    private static EngineHost StartHost(ShockwaveOptions options) => new(Options.Create(options), LoggerFactory.Create(_ => { }));
}
