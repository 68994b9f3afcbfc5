using System.Net;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Shockwave.AspNetCore.Tests;

// What ASP.NET Core brings works around an endpoint whose connections leave it.
public sealed partial class UpgradeEndpointTests
{
    public static TheoryData<ServerPath> PlainPaths => [ServerPath.Engine, ServerPath.IoUring, ServerPath.Plain];

    [Theory]
    [MemberData(nameof(PlainPaths))]
    public async Task CookieAuthentication_DecidesBeforeThe101(ServerPath path)
    {
        await using var app = await TestApplication.StartAsync(
            path,
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapGet("/login", () => TypedResults.SignIn(
                    new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "ada")], "Cookies")), authenticationScheme: "Cookies"));
                MapName(app).RequireAuthorization();
            },
            builder =>
            {
                builder.Services.AddAuthentication("Cookies").AddCookie("Cookies", cookies => cookies.Events.OnRedirectToLogin = context =>
                {
                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                    return Task.CompletedTask;
                });
                builder.Services.AddAuthorization();
            });
        await AssertUnauthorizedAsync(app);
        using var login = await app.Http.GetAsync($"{app.Address}/login");
        string cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        Assert.Equal("ada", await AskNameAsync(app, ("Cookie", cookie), ("Origin", app.Address)));
    }

    [Theory]
    [MemberData(nameof(PlainPaths))]
    public async Task AuthenticatorThatTakesLong_DelaysNobodyElse(ServerPath path)
    {
        var gate = new Gate();
        await using var app = await TestApplication.StartAsync(
            path,
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                MapName(app).RequireAuthorization();
            },
            builder =>
            {
                builder.Services.AddSingleton(gate);
                builder.Services.AddAuthentication("Gated").AddScheme<AuthenticationSchemeOptions, GatedAuthentication>("Gated", null);
                builder.Services.AddAuthorization();
            },
            ("Shockwave:Loops", "1"));
        var others = await app.ConnectAsync("/name", options => options.Headers["Authorization"] = "Gated grace");
        var late = app.OpenAsync("/name");
        await gate.Entered.Task;
        others.WriteMessage("?"u8, MessageType.Text);
        Assert.Equal("grace", (await others.ReadMessageAsync()).GetText());
        Assert.Equal("ada", await AskNameAsync(app, ("Authorization", "Gated ada")));
        Assert.False(late.IsCompleted);
        gate.Opened.SetResult();
        using var refused = await late;
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(2, StatisticsOf(app).ConnectionsTotal);
    }

    [Theory]
    [MemberData(nameof(PlainPaths))]
    public async Task RequestLogging_SeesTheUpgrade(ServerPath path)
    {
        var log = new RequestLog();
        await using var app = await TestApplication.StartAsync(
            path,
            app =>
            {
                app.UseHttpLogging();
                MapName(app);
            },
            builder =>
            {
                builder.Services.AddHttpLogging(_ => { });
                builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Information);
            });
        Assert.Equal("nobody", await AskNameAsync(app));
        Assert.Contains(await log.Requests.Task, line => line.Contains("/name", StringComparison.Ordinal));
        Assert.Contains(await log.Responses.Task, line => line.Contains("StatusCode:", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(PlainPaths))]
    public async Task WebSocketsOfTheFramework_WorkOnTheSamePort(ServerPath path)
    {
        await using var app = await TestApplication.StartAsync(path, app =>
        {
            app.UseWebSockets();
            MapName(app);
            app.Map("/framework", async (HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                byte[] buffer = new byte[1024];
                while (await socket.ReceiveAsync(buffer, default) is { MessageType: not WebSocketMessageType.Close } received)
                {
                    await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
                }

                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
            });
        });
        Assert.Equal("nobody", await AskNameAsync(app));
        using var client = new ClientWebSocket();
        await client.ConnectAsync(app.Uri("/framework"), default);
        for (int i = 0; i < 10; i++)
        {
            byte[] message = Encoding.UTF8.GetBytes($"message {i}");
            await client.SendAsync(message, WebSocketMessageType.Text, true, default);
            byte[] answer = new byte[1024];
            Assert.Equal(message, answer[..(await client.ReceiveAsync(answer, default)).Count]);
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }

    private static IEndpointConventionBuilder MapName(WebApplication app) => app.MapShockwave("/name", (connection, in message) =>
        connection.WriteMessage(Encoding.UTF8.GetBytes(connection.User?.Identity?.Name ?? "nobody"), message.Type));

    private static async Task AssertUnauthorizedAsync(TestApplication app)
    {
        using var answer = await app.OpenAsync("/name");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    private static async Task<string> AskNameAsync(TestApplication app, params (string Name, string Value)[] headers)
    {
        var connection = await app.ConnectAsync("/name", options =>
        {
            foreach (var (name, value) in headers)
            {
                options.Headers[name] = value;
            }
        });
        connection.WriteMessage("?"u8, MessageType.Text);
        string answer = (await connection.ReadMessageAsync()).GetText();
        await connection.CloseAsync();
        return answer;
    }

    private sealed class Gate
    {
        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    // Knows whoever says a name; takes its time over the others and then refuses them.
    private sealed class GatedAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Gate gate)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers.Authorization.Count > 0)
            {
                string name = Request.Headers.Authorization.ToString()["Gated ".Length..];
                return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "Gated")), "Gated"));
            }

            gate.Entered.SetResult();
            await gate.Opened.Task;
            return AuthenticateResult.Fail("nobody knows you");
        }
    }

    // What the framework's middleware logs of requests and responses.
    private sealed class RequestLog : ILoggerProvider, ILogger
    {
        public TaskCompletionSource<string[]> Requests { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<string[]> Responses { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith("Microsoft.AspNetCore.HttpLogging", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string[] lines = formatter(state, exception).Split('\n');
            (lines[0].StartsWith("Request", StringComparison.Ordinal) ? Requests : Responses).TrySetResult(lines);
        }

        public void Dispose()
        {
        }
    }
}
