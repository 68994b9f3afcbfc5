using System.Net;

namespace Shockwave.Cli.Serve;

/// <summary>The application behind <c>shockwave serve</c>.</summary>
internal static class ServeApplication
{
    public static WebApplication Build(ServeSettings settings)
    {
        var builder = WebApplication.CreateSlimBuilder(settings.Configuration);
        builder.Configuration.AddJsonFile("appsettings.json", optional: true).AddEnvironmentVariables().AddCommandLine(settings.Configuration);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel((context, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            Listen(kestrel, settings, context.Configuration);
        });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Shockwave", LogLevel.Information).AddSimpleConsole(console => console.SingleLine = true);

        // The host logs, with its stack trace, why it does not start, and then throws it: ServeCommand says it in one line.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.AddShockwave(options =>
        {
            options.Engine = settings.Engine ?? options.Engine;
            options.Loops = settings.Loops ?? options.Loops;
        });
        builder.Services.AddHostedService<LiveStatistics>();

        var app = builder.Build();
        app.MapShockwave("/echo", static (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
        app.MapShockwave<TopicHandler>("/topic/{name:maxlength(64)}");
        app.MapShockwave<LiveHandler>("/live");
        app.MapGet("/healthz", static (IHostApplicationLifetime lifetime) =>
            lifetime.ApplicationStopping.IsCancellationRequested ? Results.Text("stopping\n", statusCode: 503) : Results.Text("ok\n"));
        LivePage.Map(app);
        return app;
    }

    private static void Listen(Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions kestrel, ServeSettings settings, IConfiguration configuration)
    {
        var certificate = settings.Certificate is not null ? CertificateFiles.Load(settings.Certificate, settings.Key, configuration)
            : settings.MakeDevelopmentCertificate ? CertificateFiles.MakeForLocalhost(TimeProvider.System)
            : null;

        if (settings.Host == "localhost" && settings.Port != 0)
        {
            kestrel.ListenLocalhost(settings.Port, Configure);
        }
        else if (settings.Host == "*")
        {
            kestrel.ListenAnyIP(settings.Port, Configure);
        }
        else if (settings.Host == "localhost" || IPAddress.TryParse(settings.Host, out _))
        {
            // A free port cannot be asked for on both loopback addresses at once.
            kestrel.Listen(settings.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(settings.Host), settings.Port, Configure);
        }
        else
        {
            throw new ArgumentException($"--host is '{settings.Host}'; it must be localhost, an IP address, or *.");
        }

        void Configure(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions listen)
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }
    }
}
