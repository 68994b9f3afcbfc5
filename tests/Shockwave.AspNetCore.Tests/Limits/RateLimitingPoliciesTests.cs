using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.RateLimiting;

namespace Shockwave.AspNetCore.Tests;

public sealed class RateLimitingPoliciesTests
{
    public static TheoryData<string> Refused { get; } = ["required", "attribute", "group"];

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task PolicyOnTheEndpoint_StopsTheStartAndNamesTheOptions(string way)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(app => _ = way switch
        {
            "required" => Map(app).RequireRateLimiting("few"),
            "attribute" => Map(app).WithMetadata(new EnableRateLimitingAttribute("few")),
            _ => (object)Map(app.MapGroup("/group").RequireRateLimiting("few")),
        }));
        Assert.Contains("/echo", error.Message, StringComparison.Ordinal);
        Assert.Contains("'few'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Shockwave:MaxConnections", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PolicyThatIsTakenBack_OrOnAnotherEndpoint_IsNone()
    {
        await using var app = await StartAsync(app =>
        {
            app.MapGet("/", () => "hello").RequireRateLimiting("few");
            Map(app.MapGroup("/group").RequireRateLimiting("few")).DisableRateLimiting();
        });
        var connection = await app.ConnectAsync("/group/echo");
        Assert.True(connection.IsOpen);
    }

    private static Task<TestApplication> StartAsync(Action<WebApplication> map) => TestApplication.StartAsync(
        app =>
        {
            app.UseRateLimiter();
            map(app);
        },
        builder => builder.Services.AddRateLimiter(options => options.AddConcurrencyLimiter("few", limiter => limiter.PermitLimit = 1)));

    private static IEndpointConventionBuilder Map(Microsoft.AspNetCore.Routing.IEndpointRouteBuilder endpoints) =>
        endpoints.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
}
