using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

/// <summary>An application on Kestrel and a free port.</summary>
internal sealed class TestApplication : IAsyncDisposable
{
    private static readonly (string, string)[] _upgrade =
        [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")];

    private readonly WebApplication _app;
    private readonly ServerPath _path;
    private readonly HttpClient _http = CreateClient();
    private readonly ConcurrentBag<HttpResponseMessage> _answers = [];

    private TestApplication(WebApplication app, ServerPath path)
    {
        _app = app;
        _path = path;
    }

    public IServiceProvider Services => _app.Services;

    public string Address => _app.Urls.Single();

    public static Task<TestApplication> StartAsync(
        Action<WebApplication> map, Action<WebApplicationBuilder>? configure = null, params (string Key, string? Value)[] configuration) =>
        StartAsync(ServerPath.Engine, map, configure, configuration);

    public static async Task<TestApplication> StartAsync(
        ServerPath path, Action<WebApplication> map, Action<WebApplicationBuilder>? configure = null, params (string Key, string? Value)[] configuration)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        if (path is ServerPath.Plain or ServerPath.IoUring)
        {
            builder.Configuration["Shockwave:Engine"] = path == ServerPath.Plain ? "Portable" : "IoUring";
        }

        builder.Configuration.AddInMemoryCollection(configuration.ToDictionary(pair => pair.Key, pair => pair.Value));
        builder.AddShockwave();
        configure?.Invoke(builder);
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = path == ServerPath.Http2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
            if (path is ServerPath.Tls or ServerPath.Http2)
            {
                listen.UseHttps(TestCertificate.Instance);
            }
        }));
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new TestApplication(app, path);
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
        foreach (var (name, value) in _upgrade.Concat(headers))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return (response.StatusCode, response.StatusCode == HttpStatusCode.SwitchingProtocols ? "" : await response.Content.ReadAsStringAsync());
    }

    /// <summary>Opens a WebSocket by hand and returns the answer, which is the connection for as long as it is not disposed.</summary>
    public Task<HttpResponseMessage> OpenAsync(string path, params (string Name, string Value)[] headers) => OpenAsync(_http, path, headers);

    /// <summary>As above, over a TCP connection of its own, which ends with the client.</summary>
    public async Task<HttpResponseMessage> OpenAsync(HttpClient client, string path, params (string Name, string Value)[] headers)
    {
        bool isHttp2 = _path == ServerPath.Http2;
        var request = new HttpRequestMessage(isHttp2 ? HttpMethod.Connect : HttpMethod.Get, $"{Address}{path}")
        {
            Version = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (isHttp2)
        {
            request.Headers.Protocol = "websocket";
            request.Headers.Add("Sec-WebSocket-Version", "13");
        }

        (string, string)[] handshake = isHttp2 ? headers : [.. _upgrade, .. headers];
        foreach (var (name, value) in handshake)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        // Kept, or the garbage collector would end the connection of one that nobody holds.
        _answers.Add(answer);
        return answer;
    }

    public static HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == TestCertificate.Instance.Thumbprint },
    });

    public Task StopAsync(CancellationToken cancellationToken = default) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var answer in _answers)
        {
            answer.Dispose();
        }

        _http.Dispose();
        await _app.DisposeAsync();
    }
}
