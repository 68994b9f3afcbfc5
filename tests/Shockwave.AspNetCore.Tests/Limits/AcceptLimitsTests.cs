using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed class AcceptLimitsTests
{
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.IoUring)]
    [InlineData(ServerPath.Plain)]
    [InlineData(ServerPath.Tls)]
    public async Task ConnectionsBeyondTheRate_WaitAndAreNotRefused(ServerPath path)
    {
        await using var app = await StartAsync(path, ("Shockwave:AcceptsPerSecond", "1"));
        var limits = LimitsOf(app);
        int timers = _time.TimerCount;
        var clients = new List<RawClient>();
        for (int i = 0; i < 4; i++)
        {
            clients.Add(await RawClient.ConnectAsync(app));
        }

        // Two at once after a quiet time; the third is accepted and waits; the fourth is in the queue.
        await WaitAsync(() => limits.Count == 2 && _time.TimerCount > timers);
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(2, limits.Count);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await WaitAsync(() => limits.Count == 3 && _time.TimerCount > timers);
        _time.Advance(TimeSpan.FromSeconds(1));
        await WaitAsync(() => limits.Count == 4);
        if (path != ServerPath.Tls)
        {
            foreach (var client in clients)
            {
                await client.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
                Assert.StartsWith("HTTP/1.1 200", await client.ReadToAsync("hello"), StringComparison.Ordinal);
            }
        }

        Assert.Equal(0, StatisticsOf(app).Refusals.Total);
        clients.ForEach(client => client.Dispose());
        await WaitAsync(() => limits.Count == 0);
    }

    [Fact]
    public async Task AllListeners_ShareTheRate()
    {
        await using var app = await StartAsync(ServerPath.Plain, ("Shockwave:AcceptsPerSecond", "10"));
        var limits = LimitsOf(app);
        using var unbinding = new CancellationTokenSource();
        var waits = new List<Task>();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 10; i++)
            {
                var wait = limits.WaitAsync(unbinding.Token).AsTask();
                lock (waits)
                {
                    waits.Add(wait);
                }
            }
        })));
        Assert.Equal(20, waits.Count(wait => wait.IsCompleted));
        _time.Advance(TimeSpan.FromSeconds(1));
        await WaitAsync(() => waits.Count(wait => wait.IsCompleted) == 30);
        await unbinding.CancelAsync();
        await Task.WhenAll(waits);
    }

    [Fact]
    public async Task NoRate_NeverWaits()
    {
        await using var app = await StartAsync(ServerPath.Plain, ("Shockwave:AcceptsPerSecond", ""));
        for (int i = 0; i < 10_000; i++)
        {
            Assert.True(LimitsOf(app).WaitAsync(CancellationToken.None).IsCompletedSuccessfully);
        }
    }

    // MaxConnections is 2, and 16 more are let in to be told so.
    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.IoUring)]
    [InlineData(ServerPath.Plain)]
    public async Task TcpConnectionsFarBeyondTheLimit_AreClosedAtTheAccept(ServerPath path)
    {
        using var log = new RecordingLogger();
        await using var app = await StartAsync(path, log, ("Shockwave:MaxConnections", "2"));
        var limits = LimitsOf(app);
        var sockets = new List<RawClient>();
        for (int i = 0; i < 2; i++)
        {
            var webSocket = await RawClient.ConnectAsync(app);
            sockets.Add(webSocket);
            Assert.StartsWith("HTTP/1.1 101", await webSocket.UpgradeAsync("/echo"), StringComparison.Ordinal);
            Assert.Equal("here", await webSocket.AskAsync("here"));
        }

        for (int i = 0; i < 16; i++)
        {
            sockets.Add(await RawClient.ConnectAsync(app));
        }

        await WaitAsync(() => limits.Count == 16);
        for (int i = 1; i <= 3; i++)
        {
            await AssertClosedAsync(app);
            Assert.Equal(i, StatisticsOf(app).Refusals.TcpConnections);
        }

        Assert.Equal(16, limits.Count);
        Assert.Contains("503", await sockets[2].UpgradeAsync("/echo"), StringComparison.Ordinal);

        // A line at once and one for the period, whatever the number.
        _time.Advance(TimeSpan.FromSeconds(1));
        string[] lines = [.. log.Events.Select(line => line.Text).Where(line => line.Contains("without an answer", StringComparison.Ordinal))];
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("A TCP connection was closed without an answer: there are 18 TCP connections, as many as Shockwave:MaxConnections", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("2 more TCP connections were closed", lines[1], StringComparison.Ordinal);

        // Of either kind one that leaves makes room for one.
        foreach (int leaving in (int[])[0, 5])
        {
            await AssertClosedAsync(app);
            sockets[leaving].Dispose();
            await WaitAsync(() => limits.Count + RuntimeOf(app).Limits.Count == 17);
            var next = await RawClient.ConnectAsync(app);
            sockets.Add(next);
            await next.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 200", await next.ReadToAsync("hello"), StringComparison.Ordinal);
        }

        sockets.ForEach(socket => socket.Dispose());
        await WaitAsync(() => limits.Count + RuntimeOf(app).Limits.Count == 0);
    }

    private Task<TestApplication> StartAsync(ServerPath path, params (string, string?)[] configuration) => StartAsync(path, log: null, configuration);

    private Task<TestApplication> StartAsync(ServerPath path, RecordingLogger? log, params (string, string?)[] configuration) => TestApplication.StartAsync(
        path,
        app =>
        {
            app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
            app.MapGet("/", () => "hello");
        },
        builder =>
        {
            builder.Services.AddSingleton<TimeProvider>(_time);
            if (log is not null)
            {
                builder.Logging.AddProvider(log);
            }
        },
        [("Shockwave:Loops", "1"), .. configuration]);

    private static async Task AssertClosedAsync(TestApplication app)
    {
        try
        {
            using var client = await RawClient.ConnectAsync(app);
            Assert.Empty(await client.ReadToEndAsync());
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // So soon that connecting fails.
        }
    }

    private static AcceptLimits LimitsOf(TestApplication app) =>
        app.Services.GetServices<IConnectionListenerFactory>().OfType<LimitedListenerFactory>().Single().Limits;

    private static ShockwaveRuntime RuntimeOf(TestApplication app) => app.Services.GetRequiredService<ShockwaveRuntime>();

    private static ServerStatistics StatisticsOf(TestApplication app) => RuntimeOf(app).Server.GetStatistics();

    private static async Task WaitAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Yield();
        }
    }
}
