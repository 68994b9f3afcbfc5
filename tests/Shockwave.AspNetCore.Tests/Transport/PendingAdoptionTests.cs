using System.Text;
using Microsoft.AspNetCore.Builder;
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
        var scopeEnded = new TaskCompletionSource();
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

    private static void MapEcho(WebApplication app) =>
        app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));

    private static void MapOwner(WebApplication app) =>
        app.MapShockwave("/owner", (connection, in message) => connection.WriteMessage(Encoding.UTF8.GetBytes(connection.Owner.GetType().Name), message.Type));

    private sealed class Scoped : IDisposable
    {
        public TaskCompletionSource? Ended { get; set; }

        public void Dispose() => Ended?.TrySetResult();
    }
}
