using System.Diagnostics;
using System.Net;
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

public sealed class ShockwaveEndpointRouteBuilderExtensionsTests
{
    [Fact]
    public async Task EveryKindOfHandler_Echoes()
    {
        await using var app = await TestApplication.StartAsync(app =>
        {
            app.MapShockwave<EchoHandler>("/push");
            app.MapShockwave<AsyncEchoHandler>("/async");
            app.MapShockwave("/delegate", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
            app.MapShockwave("/pull", async (connection, closed) =>
            {
                while (await connection.ReadMessageAsync(closed) is { Type: not MessageType.Close } message)
                {
                    await connection.WriteMessageAsync(message.Payload, message.Type, closed);
                }
            });
        });
        foreach (string path in (string[])["/push", "/async", "/delegate", "/pull"])
        {
            var client = await app.ConnectAsync(path);
            for (int i = 0; i < 100; i++)
            {
                client.WriteMessage(Encoding.UTF8.GetBytes($"{path} {i}"), MessageType.Text);
                Assert.Equal($"{path} {i}", (await client.ReadMessageAsync()).GetText());
            }

            var info = await client.CloseAsync((CloseCode)4000, "bye");
            Assert.True(info.IsClean, $"{path}: {info}");
        }
    }

    [Fact]
    public async Task HandlersSeeNothingOfTheRequest()
    {
        var ambient = new AsyncLocal<string?>();
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use(async (context, next) =>
                {
                    ambient.Value = "middleware";
                    using var activity = new Activity("request").Start();
                    await next(context);
                });
                var accessor = app.Services.GetRequiredService<IHttpContextAccessor>();
                app.MapShockwave("/push", (connection, in message) => connection.WriteMessage(Encoding.UTF8.GetBytes(Describe()), message.Type));
                app.MapShockwave("/pull", async (connection, _) =>
                {
                    var message = await connection.ReadMessageAsync();
                    connection.WriteMessage(Encoding.UTF8.GetBytes(Describe()), message.Type);
                });

                string Describe() => $"{accessor.HttpContext is null} {ambient.Value ?? "-"} {Activity.Current?.OperationName ?? "-"}";
            },
            builder => builder.Services.AddHttpContextAccessor());
        foreach (string path in (string[])["/push", "/pull"])
        {
            var client = await app.ConnectAsync(path);
            client.WriteMessage("x"u8, MessageType.Text);
            Assert.Equal("True - -", (await client.ReadMessageAsync()).GetText());
        }
    }

    [Fact]
    public async Task UserRouteValuesAddressAndTrace_AreCopiedFromTheUpgrade()
    {
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapShockwave("/room/{name}", (connection, in message) => connection.WriteMessage(
                    Encoding.UTF8.GetBytes($"{connection.User!.Identity!.Name} {connection.RouteValues["name"]} {connection.RemoteEndPoint is not null}"), message.Type)).RequireAuthorization();
            },
            AddTestAuthentication);
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.RequestAsync("/room/blue")).Status);
        var error = await Assert.ThrowsAsync<HandshakeException>(() => app.ConnectAsync("/room/blue"));
        Assert.Equal(401, error.StatusCode);
        var client = await app.ConnectAsync("/room/blue", options => options.Headers["Authorization"] = "Test ada");
        client.WriteMessage("x"u8, MessageType.Text);
        Assert.Equal("ada blue True", (await client.ReadMessageAsync()).GetText());
    }

    [Fact]
    public async Task RequestWithoutOrigin_IsRefusedOnlyWhereACookieAuthenticatedIt()
    {
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.UseAuthentication();
                app.MapShockwave<EchoHandler>("/echo");
            },
            AddTestAuthentication);
        Assert.Equal(HttpStatusCode.SwitchingProtocols, (await app.RequestAsync("/echo")).Status);
        Assert.Equal(HttpStatusCode.SwitchingProtocols, (await app.RequestAsync("/echo", ("Cookie", "unrelated=1"))).Status);
        Assert.Equal(HttpStatusCode.SwitchingProtocols, (await app.RequestAsync("/echo", ("Authorization", "Test ada"))).Status);
        Assert.Equal(HttpStatusCode.SwitchingProtocols, (await app.RequestAsync("/echo", ("Cookie", "user=ada"), ("Origin", app.Address))).Status);
        var (status, body) = await app.RequestAsync("/echo", ("Cookie", "user=ada"));
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("Origin", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForeignOrigin_IsRefusedWithTheNameOfTheOptionAndAllowedWhenListed()
    {
        await using var strict = await TestApplication.StartAsync(app => app.MapShockwave<EchoHandler>("/echo"));
        var (status, body) = await strict.RequestAsync("/echo", ("Origin", "https://example.com"));
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Contains("Shockwave:AllowedOrigins", body, StringComparison.Ordinal);
        Assert.DoesNotContain("example.com", body, StringComparison.Ordinal);

        await using var listed = await TestApplication.StartAsync(
            app => app.MapShockwave<EchoHandler>("/echo"), configure: null, ("Shockwave:AllowedOrigins:0", "https://example.com"), ("Shockwave:AllowedOrigins:1", "https://other.example"));
        Assert.Equal(HttpStatusCode.SwitchingProtocols, (await listed.RequestAsync("/echo", ("Origin", "https://other.example"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await listed.RequestAsync("/echo", ("Origin", "https://example.com:444"))).Status);
    }

    [Fact]
    public async Task Subprotocol_IsTheFirstOfferedThatTheServerSpeaks()
    {
        await using var app = await TestApplication.StartAsync(
            app => app.MapShockwave<EchoHandler>("/echo"), configure: null, ("Shockwave:Subprotocols", "v2, v1"));
        var client = await app.ConnectAsync("/echo", options =>
        {
            options.Subprotocols.Add("v3");
            options.Subprotocols.Add("v1");
        });
        Assert.Equal("v1", client.Subprotocol);
        Assert.Null((await app.ConnectAsync("/echo")).Subprotocol);
    }

    [Fact]
    public async Task MissingAddShockwave_IsNamed()
    {
        await using var app = WebApplication.CreateBuilder().Build();
        var error = Assert.Throws<InvalidOperationException>(() => app.MapShockwave<EchoHandler>("/echo"));
        Assert.Contains("AddShockwave", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoppingHost_ClosesConnectionsWith1012AndRefusesNewOnes()
    {
        await using var app = await TestApplication.StartAsync(app => app.MapShockwave<EchoHandler>("/echo"));
        var client = await app.ConnectAsync("/echo");
        var stopping = app.StopAsync();
        Assert.Equal(MessageType.Close, (await client.ReadMessageAsync()).Type);
        await client.Completion;
        Assert.Equal(CloseCode.ServiceRestart, client.CloseInfo!.Value.Code);
        await stopping;
        Assert.Equal(0, app.Services.GetRequiredService<IShockwaveServer>().ConnectionCount);
    }

    private static void AddTestAuthentication(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication("Test").AddScheme<AuthenticationSchemeOptions, TestAuthentication>("Test", null);
        builder.Services.AddAuthorization();
    }

    // A name in the Authorization header, or in a cookie.
    private sealed class TestAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            string? name = Request.Headers.Authorization.Count > 0 ? Request.Headers.Authorization.ToString()["Test ".Length..] : Request.Cookies["user"];
            if (name is null)
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "Test"));
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, "Test")));
        }
    }

    private sealed class EchoHandler : WebSocketHandler
    {
        public override void OnMessage(WebSocketConnection connection, in Message message) => connection.WriteMessage(message.Payload, message.Type);
    }

    private sealed class AsyncEchoHandler : AsyncWebSocketHandler
    {
        public override async ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed)
        {
            await Task.Yield();
            await connection.WriteMessageAsync(message.Payload, message.Type, closed);
        }
    }
}
