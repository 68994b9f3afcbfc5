using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Shockwave.AspNetCore.Tests;

// Kestrel as an application knows it, on both kinds of loops.
public sealed class EngineConnectionTests
{
    private const int MegaByte = 1024 * 1024;

    public static TheoryData<EngineKind> Engines => [EngineKind.Epoll, EngineKind.IoUring];

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task RequestsShareOneConnection(EngineKind engine)
    {
        await using var app = await StartAsync(engine, app => app.MapGet("/", (HttpContext context) => context.Connection.Id));
        var connections = new HashSet<string>();
        for (int i = 0; i < 100; i++)
        {
            connections.Add(await app.Http.GetStringAsync(app.Address));
        }

        Assert.Single(connections);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task PipelinedRequests_AreAnsweredInOrder(EngineKind engine)
    {
        await using var app = await StartAsync(engine, app => app.MapGet("/{number}", (string number) => $"<{number}>"));
        using var client = await RawClient.ConnectAsync(app);
        await client.SendAsync(string.Concat(Enumerable.Range(0, 200).Select(i => $"GET /{i} HTTP/1.1\r\nHost: localhost\r\n\r\n")));
        for (int i = 0; i < 200; i++)
        {
            Assert.EndsWith($"<{i}>", await client.ReadToAsync(">"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(EngineKind.Epoll, 1024, 1024)]
    [InlineData(EngineKind.IoUring, 1024, 1024)]
    [InlineData(EngineKind.Epoll, 32, 1)]
    [InlineData(EngineKind.IoUring, 32, 1)]
    public async Task ChunkedBodiesOfMegabytes_ArriveWhole(EngineKind engine, int requestBufferKilobytes, int responseBufferKilobytes)
    {
        byte[] body = RandomNumberGenerator.GetBytes(8 * MegaByte);
        await using var app = await StartAsync(
            engine,
            app =>
            {
                app.MapPost("/", async (HttpRequest request) => Convert.ToHexString(await SHA256.HashDataAsync(request.Body)));
                app.MapGet("/", (HttpContext context) => new MemoryStream(body).CopyToAsync(context.Response.Body));
            },
            limits =>
            {
                limits.MaxRequestBufferSize = 1024 * requestBufferKilobytes;
                limits.MaxResponseBufferSize = 1024 * responseBufferKilobytes;
            });
        using var request = new HttpRequestMessage(HttpMethod.Post, app.Address) { Content = new StreamContent(new MemoryStream(body)) };
        request.Headers.TransferEncodingChunked = true;
        using var posted = await app.Http.SendAsync(request);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(body)), await posted.Content.ReadAsStringAsync());

        using var response = await app.Http.GetAsync(app.Address);
        Assert.True(response.Headers.TransferEncodingChunked);
        Assert.Equal(SHA256.HashData(body), SHA256.HashData(await response.Content.ReadAsByteArrayAsync()));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ResponseThatNobodyReadsYet_HoldsItsWriterBack(EngineKind engine)
    {
        const int Pieces = 512;
        var stalled = new TaskCompletionSource();
        int written = 0;
        await using var app = await StartAsync(
            engine,
            app => app.MapGet("/", async (HttpContext context) =>
            {
                for (int i = 0; i < Pieces; i++)
                {
                    var piece = new byte[64 * 1024];
                    piece.AsSpan().Fill((byte)i);
                    var write = context.Response.Body.WriteAsync(piece);
                    if (!write.IsCompleted)
                    {
                        stalled.TrySetResult();
                    }

                    await write;
                    written++;
                }
            }),
            limits => limits.MinResponseDataRate = null);
        using var response = await app.Http.GetAsync(app.Address, HttpCompletionOption.ResponseHeadersRead);
        await stalled.Task;
        await using var body = await response.Content.ReadAsStreamAsync();
        byte[] expected = new byte[64 * 1024];
        byte[] received = new byte[64 * 1024];
        for (int i = 0; i < Pieces; i++)
        {
            await body.ReadExactlyAsync(received);
            expected.AsSpan().Fill((byte)i);
            Assert.True(received.AsSpan().SequenceEqual(expected), $"piece {i}");
        }

        Assert.Equal(0, body.ReadByte() + 1);
        Assert.Equal(Pieces, written);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ExpectedContinue_IsSentWhenTheBodyIsRead(EngineKind engine)
    {
        await using var app = await StartAsync(engine, app => app.MapPost("/", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync($"<{await reader.ReadToEndAsync()}>");
        }));
        using var client = await RawClient.ConnectAsync(app);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await client.ReadToAsync("\r\n\r\n"));
        await client.SendAsync("body");
        Assert.StartsWith("HTTP/1.1 200 OK", await client.ReadToAsync("<body>"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task AbortedRequest_EndsTheConnection(EngineKind engine)
    {
        await using var app = await StartAsync(engine, app => app.MapGet("/", (HttpContext context) => context.Abort()));
        using var client = await RawClient.ConnectAsync(app);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ClientThatLeaves_IsNoticedByTheRequest(EngineKind engine)
    {
        var began = new TaskCompletionSource();
        var noticed = new TaskCompletionSource();
        await using var app = await StartAsync(engine, app => app.MapGet("/", async (HttpContext context) =>
        {
            context.RequestAborted.Register(noticed.SetResult);
            began.SetResult();
            await noticed.Task;
        }));
        using var client = await RawClient.ConnectAsync(app);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await began.Task;
        client.Reset();
        await noticed.Task;
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ClientThatLeavesInTheMiddleOfABody_IsNoError(EngineKind engine)
    {
        var failure = new TaskCompletionSource<Exception>();
        await using var app = await StartAsync(engine, app => app.MapPost("/", async (HttpContext context) =>
        {
            try
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
            }
            catch (Exception e)
            {
                failure.SetResult(e);
                throw;
            }
        }));
        using var client = await RawClient.ConnectAsync(app);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf");
        client.EndSending();
        Assert.IsAssignableFrom<IOException>(await failure.Task);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task MiddlewareThatBlocks_HoldsNoLoop(EngineKind engine)
    {
        using var gate = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource();
        await using var app = await StartAsync(
            engine,
            app =>
            {
                app.MapGet("/block", () =>
                {
                    blocked.SetResult();
                    gate.Wait();
                    return "late";
                });
                app.MapGet("/", () => "soon");
                app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
            },
            limit: null,
            ("Shockwave:Loops", "1"));
        using var connected = await RawClient.ConnectAsync(app);
        await connected.UpgradeAsync("/echo");
        var late = app.Http.GetStringAsync($"{app.Address}/block");
        await blocked.Task;
        Assert.Equal("soon", await app.Http.GetStringAsync(app.Address));
        Assert.Equal("still here", await connected.AskAsync("still here"));
        Assert.False(late.IsCompleted);
        gate.Set();
        Assert.Equal("late", await late);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task Addresses_AreThoseOfTheSocket(EngineKind engine)
    {
        await using var app = await StartAsync(engine, app => app.MapGet("/", (HttpContext context) =>
            $"{context.Connection.RemoteIpAddress} {context.Connection.RemotePort > 0} {context.Connection.LocalIpAddress}:{context.Connection.LocalPort}"));
        Assert.Equal($"127.0.0.1 True 127.0.0.1:{new Uri(app.Address).Port}", await app.Http.GetStringAsync(app.Address));
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task RequestUnderWay_IsFinishedWhenTheServerStops(EngineKind engine)
    {
        var began = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var app = await StartAsync(engine, app => app.MapGet("/", async (HttpContext context) =>
        {
            began.SetResult();
            await gate.Task;
            return "done";
        }));
        var answer = app.Http.GetStringAsync(app.Address);
        await began.Task;
        var stopping = app.StopAsync();
        Assert.False(stopping.IsCompleted);
        gate.SetResult();
        Assert.Equal("done", await answer);
        await stopping;
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ManyConnectionsAtOnce_AreAllServed(EngineKind engine)
    {
        await using var app = await StartAsync(engine, app => app.MapGet("/{number}", (string number) => $"<{number}>"));
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var client = await RawClient.ConnectAsync(app);
            await client.SendAsync($"GET /{i} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            Assert.Contains($"<{i}>", Encoding.ASCII.GetString(await client.ReadToEndAsync()), StringComparison.Ordinal);
        }));
    }

    private static Task<TestApplication> StartAsync(
        EngineKind engine, Action<WebApplication> map, Action<KestrelServerLimits>? limit = null, params (string Key, string? Value)[] configuration) =>
        TestApplication.StartAsync(
            map,
            builder => builder.Services.Configure<KestrelServerOptions>(options => limit?.Invoke(options.Limits)),
            [("Shockwave:Engine", engine.ToString()), .. configuration]);
}
