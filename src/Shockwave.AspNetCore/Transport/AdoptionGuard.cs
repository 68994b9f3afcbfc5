using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Shockwave.AspNetCore;

/// <summary>
/// The outermost middleware. An endpoint's request to have its connection adopted is good only once everything around the endpoint has
/// returned: middleware that throws afterwards has ended the connection, whatever the endpoint thinks.
/// </summary>
internal sealed class AdoptionGuard : IStartupFilter
{
    /// <inheritdoc />
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(Guard);
        next(app);
    };

    private static RequestDelegate Guard(RequestDelegate next) =>
        context => context.Features.Get<EngineConnection>() is { } connection ? GuardAsync(context, connection, next) : next(context);

    private static async Task GuardAsync(HttpContext context, EngineConnection connection, RequestDelegate next)
    {
        connection.IsGuarded = true;
        await next(context).ConfigureAwait(false);
        connection.ConfirmAdoption();
    }
}
