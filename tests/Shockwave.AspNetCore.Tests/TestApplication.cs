using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore.Tests;

/// <summary>An application on Kestrel and a free port.</summary>
internal sealed class TestApplication : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();

    private TestApplication(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    public string Address => _app.Urls.Single();

    public static async Task<TestApplication> StartAsync(
        Action<WebApplication> map, Action<WebApplicationBuilder>? configure = null, params (string Key, string? Value)[] configuration)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(configuration.ToDictionary(pair => pair.Key, pair => pair.Value));
        builder.AddShockwave();
        configure?.Invoke(builder);
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new TestApplication(app);
    }

    /// <summary>Gets a client for plain requests.</summary>
    public HttpClient Http => _http;

    public Uri Uri(string path) => new($"{Address.Replace("http://", "ws://", StringComparison.Ordinal)}{path}");

    public Task<WebSocketConnection> ConnectAsync(string path, Action<WebSocketClientOptions>? configure = null)
    {
        var options = new WebSocketClientOptions();
        configure?.Invoke(options);
        return WebSocketClient.ConnectAsync(Uri(path), options);
    }

    /// <summary>Sends an opening handshake by hand and returns the answer, for the ones that are refused.</summary>
    public async Task<(HttpStatusCode Status, string Body)> RequestAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Address}{path}");
        (string, string)[] handshake =
        [
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), .. headers,
        ];
        foreach (var (name, value) in handshake)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return (response.StatusCode, response.StatusCode == HttpStatusCode.SwitchingProtocols ? "" : await response.Content.ReadAsStringAsync());
    }

    public Task StopAsync(CancellationToken cancellationToken = default) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }
}
