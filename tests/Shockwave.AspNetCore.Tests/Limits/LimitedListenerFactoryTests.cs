using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed class LimitedListenerFactoryTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.IoUring)]
    [InlineData(ServerPath.Plain)]
    [InlineData(ServerPath.Tls)]
    public async Task ConnectionThatSendsNoRequest_IsClosedAtTheDeadlineAndNotBefore(ServerPath path)
    {
        var time = new ManualTimeProvider();
        await using var app = await StartAsync(path, builder => builder.Services.AddSingleton<TimeProvider>(time));
        using var silent = await ConnectAsync(app);
        await silent.SendAsync(path != ServerPath.Tls ? "GET / HT"u8.ToArray() : [22, 3, 1, 2, 0, 1]);
        await WaitForWaitingAsync(app, 1);
        time.Advance(TimeSpan.FromSeconds(9));
        using var later = await ConnectAsync(app);
        await WaitForWaitingAsync(app, 2);
        var end = ReadToEndAsync(silent);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(end.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal("", await end);
        Assert.Equal(1, StatisticsOf(app).Refusals.HandshakeTimeout);

        time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(1, StatisticsOf(app).Refusals.HandshakeTimeout);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("", await ReadToEndAsync(later));
        Assert.Equal(2, StatisticsOf(app).Refusals.Total);
    }

    [Fact]
    public async Task ApplicationThatIsSlow_IsNotInAHurry()
    {
        var time = new ManualTimeProvider();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await TestApplication.StartAsync(
            app =>
            {
                app.Use(async (context, next) =>
                {
                    arrived.SetResult();
                    await go.Task;
                    await next(context);
                });
                app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
            },
            builder => builder.Services.AddSingleton<TimeProvider>(time));
        var opening = app.ConnectAsync("/echo");
        await arrived.Task;
        time.Advance(TimeSpan.FromSeconds(60));
        go.SetResult();
        var connection = await opening;
        connection.WriteMessage("x"u8, MessageType.Text);
        Assert.Equal("x", (await connection.ReadMessageAsync()).GetText());
        Assert.Equal(0, StatisticsOf(app).Refusals.Total);
    }

    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.Plain)]
    public async Task ConnectionThatEndsBeforeItsRequest_IsForgotten(ServerPath path)
    {
        await using var app = await StartAsync(path);
        using (await ConnectAsync(app))
        {
            await WaitForWaitingAsync(app, 1);
        }

        await WaitForWaitingAsync(app, 0);
        Assert.Equal(0, StatisticsOf(app).Refusals.Total);
    }

    [Theory]
    [InlineData("00:00:05", 5)]
    [InlineData("00:01:00", 30)]
    public async Task HandshakeTimeout_LowersKestrelsTimeForTheHeadOfARequest(string timeout, int seconds)
    {
        await using var app = await TestApplication.StartAsync(_ => { }, null, ("Shockwave:HandshakeTimeout", timeout));
        Assert.Equal(seconds, app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.RequestHeadersTimeout.TotalSeconds);
    }

    // n = 2: Kestrel would close the third without a word.
    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.Plain)]
    public async Task ConnectionsBeyondKestrelsLimit_AreToldSoAndThoseFarBeyondAreClosed(ServerPath path)
    {
        await using var app = await StartAsync(path, builder => Limit(builder, 2));
        var sockets = new List<Socket>();
        for (int i = 0; i < 18; i++)
        {
            sockets.Add(await ConnectAsync(app));
            await WaitForWaitingAsync(app, i + 1);
        }

        using var last = await ConnectAsync(app);
        Assert.Equal("", await ReadToEndAsync(last));

        string answer = await RequestToEndAsync(sockets[2]);
        Assert.StartsWith("HTTP/1.1 503", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        Assert.Contains("The server has 2 connections, as many as KestrelServerLimits.MaxConcurrentConnections allows.", answer, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await RequestAsync(sockets[1]), StringComparison.Ordinal);
        Assert.Equal(1, StatisticsOf(app).Refusals.Connections);

        // Those that are refused take no place from those that come after them.
        sockets[0].Dispose();
        await WaitForWaitingAsync(app, 15);
        using var next = await ConnectAsync(app);
        Assert.StartsWith("HTTP/1.1 200", await RequestAsync(next), StringComparison.Ordinal);
        sockets.ForEach(socket => socket.Dispose());
    }

    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.Plain)]
    public async Task ConnectionsThatOtherMiddlewareUpgrades_AreNotCountedAsKestrelDoesNot(ServerPath path)
    {
        await using var app = await TestApplication.StartAsync(
            path,
            app =>
            {
                app.UseWebSockets();
                app.Run(async context =>
                {
                    if (context.WebSockets.IsWebSocketRequest)
                    {
                        using var socket = await context.WebSockets.AcceptWebSocketAsync();
                        await socket.ReceiveAsync(new byte[1], CancellationToken.None);
                    }
                });
            },
            builder => Limit(builder, 1));
        var clients = Enumerable.Range(0, 3).Select(_ => new ClientWebSocket()).ToArray();
        foreach (var client in clients)
        {
            await client.ConnectAsync(app.Uri("/"), CancellationToken.None);
        }

        using var plain = await ConnectAsync(app);
        Assert.StartsWith("HTTP/1.1 200", await RequestAsync(plain), StringComparison.Ordinal);
        Array.ForEach(clients, client => client.Dispose());
    }

    [Fact]
    public async Task TransportThatIsRegisteredLater_LeavesTheLimitToKestrelAndIsWarnedOf()
    {
        using var log = new RecordingLogger();
        await using var app = await StartAsync(ServerPath.Engine, builder =>
        {
            Limit(builder, 1);
            builder.Logging.AddProvider(log);
            builder.Services.AddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        });
        Assert.Equal(1, app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.MaxConcurrentConnections);
        Assert.Contains(log.Events, line => line.Text.Contains("A transport was registered after AddShockwave", StringComparison.Ordinal));
        using var socket = await ConnectAsync(app);
        Assert.StartsWith("HTTP/1.1 200", await RequestAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddShockwaveBeforeKestrel_StillHasATransport()
    {
        using var host = Host.CreateDefaultBuilder()
            .ConfigureLogging(logging => logging.ClearProviders())
            .ConfigureServices(services => services.AddShockwave())
            .ConfigureWebHost(web => web.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0)).Configure(app => app.Run(context => context.Response.WriteAsync("hello"))))
            .Build();
        await host.StartAsync();
        string address = host.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()
            .Features.Get<Microsoft.AspNetCore.Hosting.Server.Features.IServerAddressesFeature>()!.Addresses.Single();
        using var http = new HttpClient();
        Assert.Equal("hello", await http.GetStringAsync(address));
        await host.StopAsync();
    }

    private static Task<TestApplication> StartAsync(ServerPath path, Action<WebApplicationBuilder>? configure = null) => TestApplication.StartAsync(
        path,
        app => app.Run(context => context.Response.WriteAsync("hello")),
        builder =>
        {
            // Stands still: no deadline comes on a busy machine.
            builder.Services.AddSingleton<TimeProvider>(new ManualTimeProvider());
            configure?.Invoke(builder);
        });

    private static void Limit(WebApplicationBuilder builder, int most) =>
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxConcurrentConnections = most);

    private static ServerStatistics StatisticsOf(TestApplication app) => app.Services.GetRequiredService<IShockwaveServer>().GetStatistics();

    private static async Task<Socket> ConnectAsync(TestApplication app)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(app.Address).Port);
        return socket;
    }

    // Nothing tells the client that it was accepted.
    private static async Task WaitForWaitingAsync(TestApplication app, int count)
    {
        var deadlines = app.Services.GetServices<IConnectionListenerFactory>().OfType<LimitedListenerFactory>().Single().Deadlines;
        while (deadlines.Count != count)
        {
            await Task.Yield();
        }
    }

    private static async Task<string> RequestAsync(Socket socket)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(Get));
        byte[] buffer = new byte[4096];
        int count = await socket.ReceiveAsync(buffer);
        return Encoding.ASCII.GetString(buffer, 0, count);
    }

    private static async Task<string> RequestToEndAsync(Socket socket)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(Get));
        return await ReadToEndAsync(socket);
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        try
        {
            int count;
            while ((count = await socket.ReceiveAsync(buffer)) > 0)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
        }
        catch (SocketException)
        {
            // Closed over bytes that nobody read: a reset is an end as well.
        }

        return text.ToString();
    }
}
