using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed class PendingAdoptionTests
{
    [Fact]
    public async Task UpgradedConnection_IsServedByALoop()
    {
        await using var app = await TestApplication.StartAsync(MapOwner);
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/owner");
        Assert.Equal("EpollLoop", await client.AskAsync("?"));
    }

    [Fact]
    public async Task RequestEnds_AndItsScopeIsDisposed_BeforeTheFirstMessage()
    {
        var scopeEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use((context, next) =>
                {
                    context.RequestServices.GetRequiredService<Scoped>().Ended = scopeEnded;
                    return next(context);
                });
                MapOwner(app);
            },
            builder => builder.Services.AddScoped<Scoped>());
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/owner");
        await scopeEnded.Task;
        Assert.Equal("EpollLoop", await client.AskAsync("?"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(3000)]
    public async Task MessagesBehindTheRequest_AreDeliveredFirstAndInOrder(int count)
    {
        await using var app = await TestApplication.StartAsync(MapEcho);
        using var client = await RawClient.ConnectAsync(app);
        byte[] messages = [.. Enumerable.Range(0, count).SelectMany(i => RawFrame.Masked(0x81, $"message {i}"))];
        await client.SendAsync(new ReadOnlyMemory<byte>([.. Encoding.ASCII.GetBytes(RawClient.Handshake("/echo")), .. messages]));
        await client.ReadToAsync("\r\n\r\n");
        for (int i = 0; i < count; i++)
        {
            Assert.Equal($"message {i}", (await client.ReadFrameAsync()).Payload);
        }

        Assert.Equal("after", await client.AskAsync("after"));
    }

    [Fact]
    public async Task ConnectionsAreSpreadEvenlyOverTheLoops()
    {
        await using var app = await TestApplication.StartAsync(MapOwner, configure: null, ("Shockwave:Loops", "3"));
        var clients = new List<RawClient>();
        for (int i = 0; i < 30; i++)
        {
            clients.Add(await RawClient.ConnectAsync(app));
            await clients[^1].UpgradeAsync("/owner");
            Assert.Equal("EpollLoop", await clients[^1].AskAsync("?"));
        }

        var loops = app.Services.GetRequiredService<EngineHost>().Loops!.Loops;
        Assert.Equal([10, 10, 10], loops.Select(loop => loop.ConnectionCount));
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task NothingOfTheRequestStaysAlive()
    {
        var references = new List<WeakReference>();
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use((context, next) =>
                {
                    var connection = context.Features.GetRequiredFeature<EngineConnection>();
                    references.AddRange([
                        new(context), new(context.Features), new(context.RequestServices), new(connection), new(connection.Transport), new(connection.Transport.Input),
                        new(context.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>())]);
                    return next(context);
                });
                MapEcho(app);
            },
            configure: null,
            ("Shockwave:Loops", "2"));

        // Two, so that one of them moves to the other loop.
        using var stays = await RawClient.ConnectAsync(app);
        using var moves = await RawClient.ConnectAsync(app);
        foreach (var client in (RawClient[])[stays, moves])
        {
            await client.UpgradeAsync("/echo");
        }

        // What a loop or a pooled thread ran last may be held by its stack or its cache for some turns more.
        for (int i = 0; i < 50 && references.Any(reference => reference.IsAlive); i++)
        {
            await stays.AskAsync("turn");
            await moves.AskAsync("turn");
            GC.GetTotalMemory(forceFullCollection: true);
        }

        Assert.Equal(14, references.Count);
        Assert.All(references, reference => Assert.Null(reference.Target?.GetType()));
    }

    [Theory]
    [InlineData(EngineKind.Epoll)]
    [InlineData(EngineKind.IoUring)]
    public async Task AmbientState_NeverReachesAHandler(EngineKind engine)
    {
        var ambient = new AsyncLocal<string?>();
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use(async (context, next) =>
                {
                    ambient.Value = "middleware";
                    CultureInfo.CurrentCulture = MakeCulture("m");
                    using var activity = new Activity("request").Start();
                    await next(context);
                });
                app.MapShockwave<AmbientHandler>("/ambient");
            },
            builder =>
            {
                builder.Services.AddHttpContextAccessor();
                builder.Services.AddSingleton(ambient);
            },
            ("Shockwave:Engine", engine.ToString()),
            ("Shockwave:Loops", "1"));
        using var first = await RawClient.ConnectAsync(app);
        using var second = await RawClient.ConnectAsync(app);
        await first.UpgradeAsync("/ambient");
        await second.UpgradeAsync("/ambient");
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("True - - 1.5", await first.AskAsync("first"));
            Assert.Equal("True - - 1.5", await second.AskAsync("second"));
        }
    }

    [Theory]
    [InlineData(EngineKind.Epoll)]
    [InlineData(EngineKind.IoUring)]
    public async Task ServerThatStopsBeforeTheAdoption_ClosesTheConnectionWith1012(EngineKind engine)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use(async (context, next) =>
                {
                    await next(context);
                    answered.SetResult();
                    await gate.Task;
                });
                MapEcho(app);
            },
            configure: null,
            ("Shockwave:Engine", engine.ToString()));
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/echo");
        await answered.Task;
        var server = app.Services.GetRequiredService<ShockwaveRuntime>().Server;
        Assert.Equal(1, server.ConnectionCount);
        var stopping = app.StopAsync();
        while (!server.IsStopping)
        {
            await Task.Yield();
        }

        Assert.False(stopping.IsCompleted);
        gate.SetResult();
        Assert.Equal(0x88, (await client.ReadFrameAsync()).First);
        await client.SendAsync(RawFrame.Masked(0x88, RawFrame.ClosePayload(1012)));
        await client.ReadToEndAsync();
        await stopping;
        Assert.Equal(0, server.ConnectionCount);
    }

    [Theory]
    [InlineData(EngineKind.Epoll)]
    [InlineData(EngineKind.IoUring)]
    public async Task ClientThatLeavesBeforeTheAdoption_IsNotCountedAnyMore(EngineKind engine)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use(async (context, next) =>
                {
                    await next(context);
                    answered.SetResult();
                    await gate.Task;
                });
                MapEcho(app);
            },
            configure: null,
            ("Shockwave:Engine", engine.ToString()));
        using (var client = await RawClient.ConnectAsync(app))
        {
            await client.UpgradeAsync("/echo");
            await answered.Task;
            client.Reset();
        }

        gate.SetResult();
        await app.StopAsync();
        Assert.Equal(0, app.Services.GetRequiredService<IShockwaveServer>().ConnectionCount);
    }

    private static void MapEcho(WebApplication app) =>
        app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));

    private static void MapOwner(WebApplication app) =>
        app.MapShockwave("/owner", (connection, in message) => connection.WriteMessage(Encoding.UTF8.GetBytes(connection.Owner.GetType().Name), message.Type));

    private static CultureInfo MakeCulture(string decimalSeparator) => new("") { NumberFormat = { NumberDecimalSeparator = decimalSeparator } };

    private sealed class AmbientHandler(IHttpContextAccessor accessor, AsyncLocal<string?> ambient) : WebSocketHandler
    {
        private string _atOpen = "not opened";

        public override void OnOpen(WebSocketConnection connection)
        {
            _atOpen = Describe();
            SpoilContext();
        }

        public override void OnMessage(WebSocketConnection connection, in Message message)
        {
            string now = Describe();
            connection.WriteMessage(Encoding.UTF8.GetBytes(now == _atOpen ? now : $"{_atOpen}, then {now}"), message.Type);
            SpoilContext();
        }

        private string Describe() =>
            $"{accessor.HttpContext is null} {ambient.Value ?? "-"} {Activity.Current?.OperationName ?? "-"} {1.5.ToString(CultureInfo.CurrentCulture)}";

        // As bad as a handler can be.
        private void SpoilContext()
        {
            ambient.Value = "handler";
            CultureInfo.CurrentCulture = MakeCulture("h");
            new Activity("handler").Start();
        }
    }

    private sealed class Scoped : IDisposable
    {
        public TaskCompletionSource? Ended { get; set; }

        public void Dispose() => Ended?.TrySetResult();
    }
}
