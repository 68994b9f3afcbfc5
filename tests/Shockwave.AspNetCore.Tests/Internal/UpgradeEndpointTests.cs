using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed partial class UpgradeEndpointTests
{
    public static TheoryData<ServerPath> Paths { get; } = [.. Enum.GetValues<ServerPath>()];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task MaxConnections_OneMoreGets503AndAPlaceThatIsFreeAgainIsTaken(ServerPath path)
    {
        await using var app = await StartAsync(path, configure: null, ("Shockwave:MaxConnections", "2"));
        await OpenAsync(app);
        var second = await OpenAsync(app);
        await AssertRefusedAsync(app, 503, "as many as Shockwave:MaxConnections allows");

        second.Dispose();
        await WaitForCountAsync(app, 1);
        await OpenAsync(app);
        await AssertRefusedAsync(app, 503, "as many as Shockwave:MaxConnections allows");
        Assert.Equal(2, StatisticsOf(app).Refusals.Connections);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task KestrelsLimitOnUpgradedConnections_OneMoreGets503(ServerPath path)
    {
        await using var app = await StartAsync(path, builder =>
            builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxConcurrentUpgradedConnections = 2));
        await OpenAsync(app);
        await OpenAsync(app);
        await AssertRefusedAsync(app, 503, "as many as KestrelServerLimits.MaxConcurrentUpgradedConnections allows");
        Assert.Equal(1, StatisticsOf(app).Refusals.Total);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task KestrelsLimitOnConnections_OneMoreGets503(ServerPath path)
    {
        await using var app = await StartAsync(path, LimitConnections);
        await OpenAsync(app);
        await OpenAsync(app);
        await AssertRefusedAsync(app, 503, "as many as KestrelServerLimits.MaxConcurrentConnections allows");
        Assert.Equal(1, StatisticsOf(app).Refusals.Total);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task KestrelsLimitOnConnections_EachOverATcpConnectionOfItsOwn_OneMoreGets503(ServerPath path)
    {
        await using var app = await StartAsync(path, LimitConnections);
        var clients = Enumerable.Range(0, 3).Select(_ => TestApplication.CreateClient()).ToArray();
        Assert.True(IsOpen(await app.OpenAsync(clients[0], "/echo")));
        Assert.True(IsOpen(await app.OpenAsync(clients[1], "/echo")));
        using var third = await app.OpenAsync(clients[2], "/echo");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, third.StatusCode);
        Assert.Contains("KestrelServerLimits.MaxConcurrentConnections", await third.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Array.ForEach(clients, client => client.Dispose());
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task MaxConnectionsPerAddress_HoldsAfterForwardedHeaders(ServerPath path)
    {
        await using var app = await StartAsync(path, configure: null, ("Shockwave:MaxConnectionsPerAddress", "2"));
        var client = ("X-Forwarded-For", "192.0.2.1");
        await OpenAsync(app, client);
        await OpenAsync(app, ("X-Forwarded-For", "::ffff:192.0.2.1"));
        await AssertRefusedAsync(app, 429, "as many as Shockwave:MaxConnectionsPerAddress allows", client);
        await OpenAsync(app, ("X-Forwarded-For", "192.0.2.2"));

        // The proxy itself, and loopback, are no client.
        for (int i = 0; i < 3; i++)
        {
            await OpenAsync(app);
            await OpenAsync(app, ("X-Forwarded-For", "203.0.113.9"));
        }

        Assert.Equal((1, 1), (StatisticsOf(app).Refusals.Address, StatisticsOf(app).Refusals.Total));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task UpgradesPerSecond_OneMoreGets503AndIsToldWhenToComeBack(ServerPath path)
    {
        var time = new ManualTimeProvider();
        await using var app = await StartAsync(path, builder => builder.Services.AddSingleton<TimeProvider>(time), ("Shockwave:UpgradesPerSecond", "1"));
        await OpenAsync(app);
        await OpenAsync(app);
        using var third = await AssertRefusedAsync(app, 503, "than Shockwave:UpgradesPerSecond allows");
        Assert.Equal(TimeSpan.FromSeconds(1), third.Headers.RetryAfter?.Delta);
        time.Advance(TimeSpan.FromSeconds(1));
        await OpenAsync(app);
        Assert.Equal(1, StatisticsOf(app).Refusals.Rate);
    }

    [Fact]
    public async Task UpgradeThatFails_GivesItsPlaceBack()
    {
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use((context, next) =>
                {
                    context.Features.Set<IHttpUpgradeFeature>(new FailingUpgrade());
                    return next(context);
                });
                app.MapShockwave<ClosingHandler>("/echo");
            },
            configure: null,
            ("Shockwave:MaxConnections", "1"));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.InternalServerError, (await app.RequestAsync("/echo")).Status);
        }

        Assert.Equal(0, LimitsOf(app).Count);
    }

    [Theory]
    [InlineData(ServerPath.Engine, false)]
    [InlineData(ServerPath.Engine, true)]
    [InlineData(ServerPath.Plain, false)]
    [InlineData(ServerPath.Plain, true)]
    public async Task MiddlewareThatFailsBehindTheEndpoint_LeavesNoPlaceTaken(ServerPath path, bool aborts)
    {
        await using var app = await TestApplication.StartAsync(
            path,
            app =>
            {
                app.Use(async (context, next) =>
                {
                    await next(context);
                    if (aborts)
                    {
                        context.Abort();
                        return;
                    }

                    throw new InvalidOperationException("middleware");
                });
                app.MapShockwave("/echo", (connection, in message) => connection.Close());
            },
            configure: null,
            ("Shockwave:MaxConnections", "1"));
        for (int i = 0; i < 3; i++)
        {
            try
            {
                (await app.OpenAsync("/echo")).Dispose();
            }
            catch (HttpRequestException)
            {
                // The abort was faster than the 101.
            }

            await WaitForCountAsync(app, 0);
        }
    }

    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.IoUring)]
    [InlineData(ServerPath.Plain)]
    public async Task ConnectionsThatEndInEveryWay_GiveTheirPlacesBack(ServerPath path)
    {
        const int Connections = 200;
        await using var app = await StartAsync(path);
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async number =>
        {
            var connection = await app.ConnectAsync("/echo", options => options.Headers["X-Forwarded-For"] = $"198.51.100.{number % 7}");
            switch (number % 3)
            {
                case 0:
                    await connection.CloseAsync();
                    break;
                case 1:
                    connection.Abort();
                    break;
                default:
                    connection.WriteMessage("close"u8, MessageType.Text);
                    await connection.Completion;
                    break;
            }
        }));
        await WaitForCountAsync(app, 0);
        Assert.Equal(0, LimitsOf(app).AddressCount);
        Assert.Equal(Connections, StatisticsOf(app).ConnectionsTotal);
    }

    [Fact]
    public async Task HandshakesThatAreRefused_AreCountedByReason()
    {
        await using var app = await StartAsync(ServerPath.Engine);
        Assert.Equal(HttpStatusCode.Forbidden, (await app.RequestAsync("/echo", ("Origin", "https://example.com"))).Status);
        using var http = TestApplication.CreateClient();
        using var plain = await http.GetAsync($"{app.Address}/echo");
        Assert.Equal(HttpStatusCode.UpgradeRequired, plain.StatusCode);
        var refusals = StatisticsOf(app).Refusals;
        Assert.Equal((1, 1, 2), (refusals.Origin, refusals.InvalidHandshake, refusals.Total));
    }

    private static Task<TestApplication> StartAsync(
        ServerPath path, Action<WebApplicationBuilder>? configure = null, params (string, string?)[] configuration) =>
        TestApplication.StartAsync(
            path,
            app =>
            {
                app.UseForwardedHeaders();
                app.MapShockwave<ClosingHandler>("/echo");
            },
            builder =>
            {
                builder.Services.Configure<ForwardedHeadersOptions>(options =>
                {
                    options.ForwardedHeaders = ForwardedHeaders.XForwardedFor;
                    options.KnownProxies.Add(IPAddress.Parse("203.0.113.9"));
                });
                configure?.Invoke(builder);
            },
            configuration);

    private static void LimitConnections(WebApplicationBuilder builder) =>
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxConcurrentConnections = 2);

    private static ServerStatistics StatisticsOf(TestApplication app) => app.Services.GetRequiredService<IShockwaveServer>().GetStatistics();

    private static ConnectionLimits LimitsOf(TestApplication app) => app.Services.GetRequiredService<ShockwaveRuntime>().Limits;

    // Not by OnClose: a connection that ends before it was adopted is never opened.
    private static async Task WaitForCountAsync(TestApplication app, int count)
    {
        while (LimitsOf(app).Count != count)
        {
            await Task.Yield();
        }
    }

    private static bool IsOpen(HttpResponseMessage answer) => answer.StatusCode is HttpStatusCode.SwitchingProtocols or HttpStatusCode.OK;

    private static async Task<HttpResponseMessage> OpenAsync(TestApplication app, params (string, string)[] headers)
    {
        var answer = await app.OpenAsync("/echo", headers);
        Assert.True(IsOpen(answer), $"{answer.StatusCode}");
        return answer;
    }

    private static async Task<HttpResponseMessage> AssertRefusedAsync(TestApplication app, int status, string sentence, params (string, string)[] headers)
    {
        var answer = await app.OpenAsync("/echo", headers);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(sentence, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        return answer;
    }

    private sealed class ClosingHandler : WebSocketHandler
    {
        public override void OnMessage(WebSocketConnection connection, in Message message) => connection.Close();
    }

    private sealed class FailingUpgrade : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => true;

        public Task<Stream> UpgradeAsync() => throw new IOException("The peer is gone.");
    }
}
