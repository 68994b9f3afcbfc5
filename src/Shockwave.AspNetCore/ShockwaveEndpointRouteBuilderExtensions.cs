using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Shockwave.AspNetCore;

namespace Shockwave;

/// <summary>Maps WebSocket endpoints.</summary>
/// <remarks>
/// The endpoint stands behind routing, authentication, authorization and every other middleware of the application; these decide over
/// the upgrade. A request that is refused gets 400, 403, 405, 426, 429 or 503 with a body that says why. A rate-limiting policy on the
/// endpoint stops the start: its permit would be given back at the upgrade.
/// </remarks>
public static class ShockwaveEndpointRouteBuilderExtensions
{
    /// <summary>Maps a handler.</summary>
    /// <typeparam name="THandler">The handler; one instance is created from the root provider at start and serves all connections.</typeparam>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <returns>A builder for the endpoint's conventions, such as <c>RequireAuthorization()</c>.</returns>
    /// <exception cref="InvalidOperationException"><c>AddShockwave</c> was not called, or the handler cannot be created.</exception>
    public static IEndpointConventionBuilder MapShockwave<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern)
        where THandler : MessageHandler
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var handler = ActivatorUtilities.GetServiceOrCreateInstance<THandler>(endpoints.ServiceProvider);
        return endpoints.MapDispatcher(pattern, handler.CreateDispatcher());
    }

    /// <summary>Maps a handler in one line.</summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="onMessage">Called for each message, as <see cref="WebSocketHandler.OnMessage"/>.</param>
    /// <returns>A builder for the endpoint's conventions.</returns>
    /// <exception cref="InvalidOperationException"><c>AddShockwave</c> was not called.</exception>
    public static IEndpointConventionBuilder MapShockwave(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, MessageDelegate onMessage)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(onMessage);
        return endpoints.MapDispatcher(pattern, new DelegateHandler(onMessage).CreateDispatcher());
    }

    /// <summary>Maps a function that reads the messages itself.</summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="serve">
    /// Runs on the thread pool, once for each connection, with a token that is cancelled when the connection has ended. When its task
    /// completes the connection is closed with 1000; when it fails, with 1011.
    /// </param>
    /// <returns>A builder for the endpoint's conventions.</returns>
    /// <exception cref="InvalidOperationException"><c>AddShockwave</c> was not called.</exception>
    public static IEndpointConventionBuilder MapShockwave(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern, Func<WebSocketConnection, CancellationToken, Task> serve)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(serve);
        return endpoints.MapDispatcher(pattern, new PullDispatcher(serve));
    }

    private static IEndpointConventionBuilder MapDispatcher(this IEndpointRouteBuilder endpoints, string pattern, MessageDispatcher dispatcher)
    {
        var runtime = endpoints.ServiceProvider.GetService<ShockwaveRuntime>()
            ?? throw new InvalidOperationException("Call builder.AddShockwave() before MapShockwave.");

        // Every method, so that a wrong one gets an answer that says so; and no timeout, which would end the connection.
        var endpoint = new UpgradeEndpoint(runtime, dispatcher);
        return endpoints.Map(pattern, endpoint.ServeAsync)
            .WithMetadata(endpoint, new DisableRequestTimeoutAttribute())
            .WithDisplayName($"Shockwave: {pattern}");
    }
}
