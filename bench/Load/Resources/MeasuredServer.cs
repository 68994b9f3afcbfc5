using System.Collections.Concurrent;
using System.Net;

namespace Shockwave.Load.Resources;

/// <summary>A server without limits in this process. It echoes at /echo; at /topic everybody hears what is published.</summary>
internal sealed class MeasuredServer : IAsyncDisposable
{
    private const string Topic = "all";

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<WebSocketConnection> _listeners;

    private MeasuredServer(WebApplication app, ConcurrentQueue<WebSocketConnection> listeners)
    {
        _app = app;
        _listeners = listeners;
    }

    public int Port => new Uri(_app.Urls.Single()).Port;

    public int ConnectionCount => Server.ConnectionCount;

    /// <summary>Gets the connections at /topic, also those that have ended.</summary>
    public IReadOnlyCollection<WebSocketConnection> Listeners => _listeners;

    private IShockwaveServer Server => _app.Services.GetRequiredService<IShockwaveServer>();

    public static async Task<MeasuredServer> StartAsync(EngineKind engine)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.AddShockwave();
        builder.Services.Configure<ShockwaveOptions>(options =>
        {
            options.Engine = engine;
            options.MaxConnections = null;
            options.AcceptsPerSecond = null;
            options.UpgradesPerSecond = null;

            // A client answers no ping before all its connections are open, and nothing but what is measured shall happen afterwards.
            options.PingInterval = TimeSpan.FromMinutes(30);
            options.IdleTimeout = TimeSpan.FromHours(1);
        });
        var listeners = new ConcurrentQueue<WebSocketConnection>();
        builder.Services.AddSingleton(listeners);
        var app = builder.Build();
        app.MapShockwave("/echo", static (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
        app.MapShockwave<Listener>("/topic");
        await app.StartAsync();
        return new MeasuredServer(app, listeners);
    }

    public PublishResult Publish(ReadOnlySpan<byte> payload) => Server.Publish(Topic, payload, MessageType.Binary);

    /// <summary>Waits until there are so many connections.</summary>
    public async Task WaitForAsync(int connections)
    {
        while (ConnectionCount != connections)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private sealed class Listener(ConcurrentQueue<WebSocketConnection> listeners) : WebSocketHandler
    {
        public override void OnOpen(WebSocketConnection connection)
        {
            listeners.Enqueue(connection);
            connection.Subscribe(Topic);
        }

        public override void OnMessage(WebSocketConnection connection, in Message message)
        {
        }
    }
}
