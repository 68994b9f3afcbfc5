using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Shockwave.Interop.Proxying;

/// <summary>An application on stock Kestrel with an echo at /echo and the client's address at /who, and its log.</summary>
internal sealed class ProxiedApplication : ILoggerProvider, ILogger, IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly List<string> _log = [];

    private ProxiedApplication(IPAddress[]? knownProxies)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders().AddProvider(this);
        builder.AddShockwave();
        builder.Services.Configure<ForwardedHeadersOptions>(options => Trust(options, knownProxies ?? []));
        _application = builder.Build();
        if (knownProxies is not null)
        {
            _application.UseForwardedHeaders();
        }

        _application.MapShockwave("/echo", static (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
        _application.MapShockwave("/who", static (connection, in message) =>
            connection.WriteMessage(System.Text.Encoding.UTF8.GetBytes($"{((IPEndPoint)connection.RemoteEndPoint!).Address}"), MessageType.Text));
    }

    public Uri Address => new(_application.Urls.First());

    public string LogText
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    /// <param name="knownProxies">Whose forwarded headers are trusted; null leaves the middleware out.</param>
    public static async Task<ProxiedApplication> StartAsync(params IPAddress[]? knownProxies)
    {
        var application = new ProxiedApplication(knownProxies);
        await application._application.StartAsync();
        return application;
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_log)
        {
            _log.Add(formatter(state, exception));
        }
    }

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static void Trust(ForwardedHeadersOptions options, IPAddress[] knownProxies)
    {
        options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in knownProxies)
        {
            options.KnownProxies.Add(proxy);
        }
    }
}
