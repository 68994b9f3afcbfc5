using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Shockwave.AspNetCore;

/// <summary>Before all middleware of the application: tells a connection of its first request, and answers on those beyond Kestrel's limit.</summary>
internal sealed class AcceptedConnectionFilter(ShockwaveRuntime runtime) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(following => context => OnRequest(context, following));
        next(app);

        // The server has not begun to listen, and every endpoint has its conventions by now.
        if (app.ApplicationServices.GetService<EndpointDataSource>() is { } endpoints)
        {
            RateLimitingPolicies.ThrowIfAny(endpoints);
        }
    };

    private Task OnRequest(HttpContext context, RequestDelegate following)
    {
        var connection = context.Features.Get<AcceptedConnection>();
        connection?.OnRequest(mayUpgrade: HttpProtocol.IsHttp11(context.Request.Protocol));
        return connection is { IsBeyondLimit: true } ? runtime.Refusals.AnswerAsync(context, TooManyConnections()) : following(context);
    }

    private Refusal TooManyConnections() => new(
        RefusalReason.Connections,
        StatusCodes.Status503ServiceUnavailable,
        $"The server has {runtime.KestrelLimits.MaxConnections} connections, as many as {nameof(KestrelServerLimits)}.{nameof(KestrelServerLimits.MaxConcurrentConnections)} allows. Try again later.")
    {
        ClosesConnection = true,
    };
}
