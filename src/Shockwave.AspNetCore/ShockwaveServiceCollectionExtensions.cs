using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Shockwave.AspNetCore;

namespace Shockwave;

/// <summary>Adds Shockwave to an application.</summary>
public static class ShockwaveServiceCollectionExtensions
{
    /// <summary>Adds the server: connections run on the portable path over whatever transport the application uses.</summary>
    /// <param name="services">The application's services. Calling this again only adds to the configuration.</param>
    /// <param name="configure">Sets options in code, after those from the configuration section <c>Shockwave</c>.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="OptionsValidationException">At start: an option is unknown or out of range; the message names each.</exception>
    public static IServiceCollection AddShockwave(this IServiceCollection services, Action<ShockwaveOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton<ShockwaveOptionsSetup>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<ShockwaveOptions>, ShockwaveOptionsSetup>(Setup));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ShockwaveOptions>, ShockwaveOptionsSetup>(Setup));
        services.AddOptions<ShockwaveOptions>().ValidateOnStart();
        services.AddOptions<HostOptions>().PostConfigure<IOptions<ShockwaveOptions>>(RaiseShutdownTimeout);
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.AddOptions<KestrelServerOptions>().PostConfigure<IOptions<ShockwaveOptions>>(KestrelLimits.LowerHeadersTimeout);
        services.AddOptions<SocketTransportOptions>().PostConfigure(KestrelLimits.LowerReadAhead);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, LimitedListenerFactory>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, AcceptedConnectionFilter>());
        services.TryAddSingleton<ShockwaveRuntime>();
        services.TryAddSingleton<IShockwaveServer>(provider => provider.GetRequiredService<ShockwaveRuntime>().Server);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ShockwaveRuntime>(provider => provider.GetRequiredService<ShockwaveRuntime>()));
        return services;
    }

    /// <summary>Adds the server to a web application, with a transport for Kestrel that keeps upgraded connections on event loops (on Linux).</summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">Sets options in code, after those from the configuration section <c>Shockwave</c>.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// Behind TLS and other connection middleware, with <see cref="EngineKind.Portable"/>, and where another transport is registered later,
    /// connections run on the portable path.
    /// </remarks>
    public static IHostApplicationBuilder AddShockwave(this IHostApplicationBuilder builder, Action<ShockwaveOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.AddShockwave(configure);
        if (services.Any(service => service.ServiceType == typeof(EngineHost)))
        {
            return builder;
        }

        services.AddSingleton<EngineHost>();

        // Outermost: around whatever other filters add.
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, AdoptionGuard>());

        // Kestrel asks the transport that was registered last, which is the one with the limits; that one asks those before it.
        var limited = services.Last(service => service.ImplementationType == typeof(LimitedListenerFactory));
        services.Insert(services.IndexOf(limited), ServiceDescriptor.Singleton<IConnectionListenerFactory, EngineTransportFactory>());
        return builder;
    }

    private static ShockwaveOptionsSetup Setup(IServiceProvider provider) => provider.GetRequiredService<ShockwaveOptionsSetup>();

    // The host must not give up before the connections are closed.
    private static void RaiseShutdownTimeout(HostOptions host, IOptions<ShockwaveOptions> options)
    {
        var needed = options.Value.DrainTimeout + TimeSpan.FromSeconds(5);
        if (host.ShutdownTimeout < needed)
        {
            host.ShutdownTimeout = needed;
        }
    }
}
