using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore.Tests;

// Which addresses it takes, whatever the order in which an application is put together.
public sealed class EngineTransportFactoryTests
{
    private static readonly Func<WebApplicationBuilder>[] _builders =
    [
        () => WebApplication.CreateBuilder(),
        () => WebApplication.CreateSlimBuilder(),
        () =>
        {
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.AddShockwave();
            builder.WebHost.UseKestrelCore();
            builder.Services.AddRoutingCore();
            return builder;
        },
        () =>
        {
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore();
            builder.Services.AddRoutingCore();
            return builder;
        },
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task TcpGoesToTheLoops_AndUnixSocketsStayWithKestrel(int builder)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using var app = await StartAsync(_builders[builder](), kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.ListenUnixSocket(path);
        });
        using var http = new HttpClient();
        Assert.Equal(nameof(EngineConnection), await http.GetStringAsync(app.Urls.First(url => !url.Contains("unix", StringComparison.Ordinal))));
        using var unix = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        Assert.Equal("another", await unix.GetStringAsync("http://localhost/"));
    }

    [Fact]
    public async Task PortInUse_IsToldAsKestrelTellsIt()
    {
        await using var first = await StartAsync(WebApplication.CreateSlimBuilder(), kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        int port = new Uri(first.Urls.Single()).Port;
        var error = await Assert.ThrowsAsync<IOException>(() => StartAsync(WebApplication.CreateSlimBuilder(), kestrel => kestrel.Listen(IPAddress.Loopback, port)));
        Assert.IsType<AddressInUseException>(error.InnerException);
        Assert.Contains($"127.0.0.1:{port}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BothLoopbackAddressesAndAnyAddress_AreServed()
    {
        await using var any = await StartAsync(WebApplication.CreateSlimBuilder(), kestrel => kestrel.ListenAnyIP(0));
        int port = new Uri(any.Urls.Single()).Port;
        using var http = new HttpClient();
        Assert.Equal(nameof(EngineConnection), await http.GetStringAsync($"http://127.0.0.1:{port}/"));
        Assert.Equal(nameof(EngineConnection), await http.GetStringAsync($"http://[::1]:{port}/"));
    }

    [Fact]
    public void EverythingButTcpOnAnAddress_IsLeftAlone()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddShockwave();
        builder.AddShockwave();
        using var app = builder.Build();
        var factory = Assert.Single(app.Services.GetServices<IConnectionListenerFactory>().OfType<EngineTransportFactory>());
        Assert.True(factory.CanBind(new IPEndPoint(IPAddress.IPv6Any, 0)));
        Assert.False(factory.CanBind(new UnixDomainSocketEndPoint("socket")));
        Assert.False(factory.CanBind(new FileHandleEndPoint(3, FileHandleType.Tcp)));
        Assert.Single(app.Services.GetServices<IStartupFilter>().OfType<AdoptionGuard>());
    }

    [Fact]
    public async Task AddressThatCannotBeBound_IsAnError()
    {
        var error = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(WebApplication.CreateSlimBuilder(), kestrel => kestrel.Listen(IPAddress.Parse("192.0.2.1"), 0)));
        Assert.Equal(SocketError.AddressNotAvailable, Assert.IsType<SocketException>(error).SocketErrorCode);
    }

    private static async Task<WebApplication> StartAsync(WebApplicationBuilder builder, Action<KestrelServerOptions> listen)
    {
        builder.Logging.ClearProviders();
        builder.AddShockwave();
        builder.WebHost.ConfigureKestrel(listen);
        var app = builder.Build();
        app.MapGet("/", (HttpContext context) => context.Features.Get<EngineConnection>()?.GetType().Name ?? "another");
        try
        {
            await app.StartAsync();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }
}
