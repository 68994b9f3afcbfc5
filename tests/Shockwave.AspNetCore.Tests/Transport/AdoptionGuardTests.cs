using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

// Middleware that spoils the upgrade after the endpoint has answered it.
public sealed class AdoptionGuardTests
{
    private static readonly Dictionary<string, Func<HttpContext, RequestDelegate, Task>> _spoilers = new()
    {
        ["throws"] = async (context, next) =>
        {
            await next(context);
            throw new InvalidOperationException("spoiled");
        },
        ["throws later"] = async (context, next) =>
        {
            await next(context);
            await Task.Yield();
            throw new InvalidOperationException("spoiled");
        },
        ["aborts"] = async (context, next) =>
        {
            await next(context);
            context.Abort();
        },
        ["writes"] = async (context, next) =>
        {
            await next(context);
            await context.Response.Body.WriteAsync("spoiled"u8.ToArray());
        },
        ["writes to the pipe"] = async (context, next) =>
        {
            await next(context);
            await context.Response.BodyWriter.WriteAsync("spoiled"u8.ToArray());
        },
        ["aborts when completed"] = async (context, next) =>
        {
            context.Response.OnCompleted(() =>
            {
                context.Abort();
                return Task.CompletedTask;
            });
            await next(context);
        },
    };

    public static TheoryData<string, EngineKind> Spoilers =>
        [.. from spoiler in _spoilers.Keys from engine in new[] { EngineKind.Epoll, EngineKind.IoUring } select (spoiler, engine)];

    [Theory]
    [MemberData(nameof(Spoilers))]
    public async Task SpoiledUpgrade_IsClosedCountedAndLoggedOnce_AndNeverBegins(string spoiler, EngineKind engine)
    {
        var log = new RecordingLogger();
        var handler = new OpenedHandler();
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use((context, next) => context.Request.Query.ContainsKey("spoil") ? _spoilers[spoiler](context, next) : next(context));
                app.MapShockwave<OpenedHandler>("/echo");
            },
            builder =>
            {
                builder.Logging.AddProvider(log);
                builder.Services.AddSingleton(handler);
            },
            ("Shockwave:Engine", engine.ToString()));
        using (var client = await RawClient.ConnectAsync(app))
        {
            await client.SendAsync(RawClient.Handshake("/echo?spoil"));
            await client.SendAsync(RawFrame.Masked(0x81, "hello"));
            Assert.DoesNotContain("hello", System.Text.Encoding.ASCII.GetString(await client.ReadToEndAsync()), StringComparison.Ordinal);
        }

        var server = app.Services.GetRequiredService<IShockwaveServer>();
        Assert.Equal((0, 1), (server.ConnectionCount, server.GetStatistics().ConnectionsTotal));
        Assert.Equal(0, handler.Opened);
        Assert.Equal(LogLevel.Warning, Assert.Single(log.Events, entry => entry.Id == 6).Level);

        // The next one is not spoiled.
        using var good = await RawClient.ConnectAsync(app);
        await good.UpgradeAsync("/echo");
        Assert.Equal("good", await good.AskAsync("good"));
        Assert.Equal(1, handler.Opened);
    }

    [Theory]
    [InlineData("swallows an exception")]
    [InlineData("fails when completed")]
    [InlineData("writes when completed, which Kestrel forbids")]
    public async Task WhatDoesNotReachTheConnection_SpoilsNothing(string middleware)
    {
        await using var app = await TestApplication.StartAsync(app =>
        {
            app.Use(async (context, next) =>
            {
                if (middleware.StartsWith("fails", StringComparison.Ordinal))
                {
                    context.Response.OnCompleted(() => throw new InvalidOperationException("logged by Kestrel"));
                }
                else if (middleware.StartsWith("writes", StringComparison.Ordinal))
                {
                    context.Response.OnCompleted(() => context.Response.BodyWriter.WriteAsync("refused"u8.ToArray()).AsTask());
                }

                try
                {
                    await next(context);
                    throw new InvalidOperationException("swallowed");
                }
                catch (InvalidOperationException)
                {
                }
            });
            app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
        });
        using var client = await RawClient.ConnectAsync(app);
        await client.UpgradeAsync("/echo");
        Assert.Equal("good", await client.AskAsync("good"));
    }

    private sealed class OpenedHandler : WebSocketHandler
    {
        private int _opened;

        public int Opened => _opened;

        public override void OnOpen(WebSocketConnection connection) => Interlocked.Increment(ref _opened);

        public override void OnMessage(WebSocketConnection connection, in Message message) => connection.WriteMessage(message.Payload, message.Type);
    }
}
