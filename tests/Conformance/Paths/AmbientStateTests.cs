using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>What is ambient to one connection's request or handler is seen by no other handler, over each path.</summary>
public sealed class AmbientStateTests
{
    private const int Connections = 8;
    private const int Rounds = 20;
    private const string Nothing = "- - - - -";

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);
    private static readonly AsyncLocal<string?> _ambient = new();

    private readonly ConcurrentQueue<string> _seen = new();
    private readonly HttpContextAccessor _accessor = new();
    private int _checks;

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task NothingAmbient_IsSeenByAHandler(ServerPath path)
    {
        // On one loop, or as many strands as there are processors: neighbours share a thread.
        await using var server = await PathServer.StartAsync(
            path,
            options =>
            {
                options.Loops = 1;
                options.HighWatermarkBytes = 1;
            },
            Map,
            services =>
            {
                services.AddSingleton<IHttpContextAccessor>(_accessor);
                services.AddSingleton(new Push(this));
                services.AddSingleton(new Async(this));
            });

        // What is ambient to whoever connects, which is a thread of this process as well.
        Leak("test");
        await Task.WhenAll(from number in Enumerable.Range(0, Connections) from endpoint in (string[])["/push", "/async", "/pull"] select TalkAsync(server, $"{endpoint}?{number}")).WaitAsync(_limit);
        server.AssertPath();
        Assert.Empty(_seen);
        Assert.InRange(_checks, 3 * Connections * Rounds, int.MaxValue);
    }

    private static async Task TalkAsync(PathServer server, string target)
    {
        using var checkedPath = await server.OpenAsync();
        using var client = await server.OpenAsync(target);
        for (int i = 0; i < Rounds; i++)
        {
            await client.AssertEchoAsync($"{target} {i}");
        }

        await client.SendAsync(Masked(0x88, RawFrame.ClosePayload(1000)));
        await client.AssertCloseAsync(1000);
        await client.AssertEndAsync();
    }

    private void Map(WebApplication application)
    {
        application.Use(async (context, next) =>
        {
            Leak($"request {context.Request.QueryString}");
            await next(context);
        });
        application.MapShockwave<Push>("/push");
        application.MapShockwave<Async>("/async");
        application.MapShockwave("/pull", async (connection, closed) =>
        {
            Check("pull");
            Leak($"pull {connection.Id}");
            while (await connection.ReadMessageAsync(closed) is { Type: not MessageType.Close } message)
            {
                CheckOwn("pull, later", $"pull {connection.Id}");
                await connection.WriteMessageAsync(message.Payload, message.Type, closed);
            }
        });
    }

    private void Check(string where)
    {
        Interlocked.Increment(ref _checks);
        if (Describe() is var seen && seen != Nothing)
        {
            _seen.Enqueue($"{where}: {seen}");
        }
    }

    // Behind an await a handler has what was ambient to itself.
    private void CheckOwn(string where, string own)
    {
        Interlocked.Increment(ref _checks);
        if (_ambient.Value != own || _accessor.HttpContext is not null)
        {
            _seen.Enqueue($"{where}: {Describe()}");
        }
    }

    private string Describe() =>
        $"{_ambient.Value ?? "-"} {Activity.Current?.OperationName ?? "-"} {(CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator == "," ? "culture" : "-")} "
        + $"{(_accessor.HttpContext is null ? "-" : "request")} {(SynchronizationContext.Current is null ? "-" : "synchronization")}";

    private static void Leak(string secret)
    {
        _ambient.Value = secret;
        new Activity(secret).Start();
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = culture;
    }

    private sealed class Push(AmbientStateTests test) : WebSocketHandler
    {
        public override void OnOpen(WebSocketConnection connection) => CheckAndLeak("open", connection);

        public override void OnMessage(WebSocketConnection connection, in Message message)
        {
            CheckAndLeak("message", connection);
            connection.WriteMessage(message.Payload, message.Type);
        }

        public override void OnDrain(WebSocketConnection connection) => CheckAndLeak("drain", connection);

        public override void OnClose(WebSocketConnection connection, in CloseInfo info) => CheckAndLeak("close", connection);

        private void CheckAndLeak(string where, WebSocketConnection connection)
        {
            test.Check($"push, {where}");
            Leak($"push {connection.Id}");
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
        }
    }

    // Not async itself, so that what it leaks is not put back by the compiler's machinery.
    private sealed class Async(AmbientStateTests test) : AsyncWebSocketHandler
    {
        public override ValueTask OnOpenAsync(WebSocketConnection connection, CancellationToken closed) => RunAsync("open", connection, () => default);

        public override ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed) =>
            RunAsync("message", connection, async () =>
            {
                await Task.Yield();
                test.CheckOwn("async, later", $"async {connection.Id}");
                await connection.WriteMessageAsync(message.Payload, message.Type, closed);
            });

        public override void OnDrain(WebSocketConnection connection) => _ = RunAsync("drain", connection, () => default);

        public override ValueTask OnCloseAsync(WebSocketConnection connection, CloseInfo info) => RunAsync("close", connection, () => default);

        private ValueTask RunAsync(string where, WebSocketConnection connection, Func<ValueTask> then)
        {
            test.Check($"async, {where}");
            Leak($"async {connection.Id}");
            return then();
        }
    }
}
