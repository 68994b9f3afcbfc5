using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed class ShockwaveRuntimeTests
{
    public static TheoryData<EngineKind> Engines => [EngineKind.Epoll, EngineKind.IoUring, EngineKind.Portable];

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Stop_ClosesEveryConnectionWith1012WhileRequestsAreStillAnswered(EngineKind engine)
    {
        const int Count = 300;
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
                app.MapGet("/ready", (IHostApplicationLifetime lifetime) => Results.StatusCode(lifetime.ApplicationStopping.IsCancellationRequested ? 503 : 200));
            },
            configure: null,
            ("Shockwave:Engine", engine.ToString()));
        var clients = new List<RawClient>();
        for (int i = 0; i < Count; i++)
        {
            clients.Add(await RawClient.ConnectAsync(app));
            await clients[i].UpgradeAsync("/echo");
            Assert.Equal("here", await clients[i].AskAsync("here"));
        }

        using (var ready = await app.Http.GetAsync($"{app.Address}/ready"))
        {
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        }

        // As SIGTERM does.
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var stopping = app.StopAsync();
        foreach (var client in clients)
        {
            byte[] close = await client.ReadAsync(4);
            Assert.Equal((0x88, 1012), (close[0], (close[2] << 8) | close[3]));
        }

        // Nobody has answered yet, so the server still waits, and says to whoever asks that it is not ready.
        using (var ready = await app.Http.GetAsync($"{app.Address}/ready"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        }

        using (var late = await RawClient.ConnectAsync(app))
        {
            Assert.StartsWith("HTTP/1.1 503", await late.UpgradeAsync("/echo"), StringComparison.Ordinal);
        }

        Assert.False(stopping.IsCompleted);
        foreach (var client in clients)
        {
            await client.SendAsync(RawFrame.Masked(0x88, RawFrame.ClosePayload(1012)));
            await client.ReadToEndAsync();
            client.Dispose();
        }

        await stopping;
        Assert.Equal(0, app.Services.GetRequiredService<IShockwaveServer>().ConnectionCount);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Stop_SendsWhatIsQueuedBeforeItCloses(EngineKind engine)
    {
        const int Count = 200;
        await using var app = await TestApplication.StartAsync(
            app => app.MapShockwave("/flood", (connection, in _) =>
            {
                byte[] payload = new byte[4000];
                for (int i = 0; i < Count; i++)
                {
                    payload.AsSpan().Fill((byte)i);
                    connection.WriteMessage(payload, MessageType.Binary);
                }
            }),
            configure: null,
            ("Shockwave:Engine", engine.ToString()));
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/flood");
        await client.SendAsync(RawFrame.Masked(0x81, "go"));
        await client.ReadAsync(4);
        var stopping = app.StopAsync();
        for (int i = 0; i < Count; i++)
        {
            byte[] payload = await client.ReadAsync(4000);
            Assert.Equal((byte)i, payload[0]);
            Assert.Equal((byte)i, payload[^1]);
            byte[] header = await client.ReadAsync(4);
            Assert.Equal(i + 1 < Count ? 0x82 : 0x88, header[0]);
        }

        await client.SendAsync(RawFrame.Masked(0x88, RawFrame.ClosePayload(1012)));
        await stopping;
    }
}
