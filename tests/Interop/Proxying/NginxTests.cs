using System.Net;
using System.Net.Security;
using Shockwave.Testing;

namespace Shockwave.Interop.Proxying;

/// <summary>nginx ends TLS, so the server behind it sees http where the page's Origin says https.</summary>
public sealed class NginxTests(PythonClient client) : IClassFixture<PythonClient>
{
    [Fact]
    public async Task TrustedProxy_LetsPagesOfItsOwnHttpsOriginConnect()
    {
        await using var application = await ProxiedApplication.StartAsync(IPAddress.Loopback);
        await using var nginx = await NginxProcess.StartAsync(application.Address);
        await client.Peer.RunAsync("echo_from_origin", Request(nginx));

        var connection = await ConnectAsync(nginx, "who");
        connection.WriteMessage("?"u8, MessageType.Text);
        Assert.Equal("127.0.0.1", (await connection.ReadMessageAsync()).GetText());
        Assert.True((await connection.CloseAsync(CloseCode.NormalClosure, "seen")).IsClean);
    }

    [Fact]
    public async Task ProxyWithoutTheMiddleware_Gets403_WhoseBodyAndLogNameKnownProxies()
    {
        await using var application = await ProxiedApplication.StartAsync(null);
        await AssertRefusedWithAdviceAsync(application);
    }

    [Fact]
    public async Task ProxyThatIsNotKnown_Gets403_WhoseBodyAndLogNameKnownProxies()
    {
        await using var application = await ProxiedApplication.StartAsync(IPAddress.Parse("192.0.2.1"));
        await AssertRefusedWithAdviceAsync(application);
    }

    private static object Request(NginxProcess nginx) =>
        new { url = $"wss://localhost:{nginx.Port}/echo", origin = $"https://localhost:{nginx.Port}", authority = nginx.Authority };

    private static Task<WebSocketConnection> ConnectAsync(NginxProcess nginx, string path)
    {
        var options = new WebSocketClientOptions
        {
            Tls = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=localhost" },
        };
        options.Headers["Origin"] = $"https://localhost:{nginx.Port}";
        return WebSocketClient.ConnectAsync(new Uri($"wss://localhost:{nginx.Port}/{path}"), options);
    }

    private async Task AssertRefusedWithAdviceAsync(ProxiedApplication application)
    {
        await using var nginx = await NginxProcess.StartAsync(application.Address);
        Assert.Equal("403", await client.Peer.RunAsync("refused", Request(nginx)));
        var error = await Assert.ThrowsAsync<HandshakeException>(() => ConnectAsync(nginx, "echo"));
        Assert.Equal(403, error.StatusCode);

        var (_, body) = await ChildProcess.RunAsync("curl",
        [
            "-sS", "--http1.1", "--max-time", "30", "--cacert", nginx.Authority, "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
            "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "-H", $"Origin: https://localhost:{nginx.Port}", $"https://localhost:{nginx.Port}/echo",
        ]);
        Assert.Contains("ForwardedHeadersOptions.KnownProxies", body);
        Assert.Contains("ForwardedHeadersOptions.KnownProxies", application.LogText);
    }
}
