using System.Globalization;
using System.Net.WebSockets;
using Shockwave.Load.Peers.Kestrel;

// What ASP.NET Core brings: Kestrel with its default scheduling, the WebSocket middleware, System.Net.WebSockets.
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(int.Parse(args[0], CultureInfo.InvariantCulture)));
await using var app = builder.Build();
app.UseWebSockets();

var topics = new Topics();
app.Map("/echo", (HttpContext context) => ServeAsync(context, Echo.RunAsync));
app.Map("/topic/{name}", (HttpContext context, string name) => ServeAsync(context, (socket, aborted) => topics.RunAsync(name, socket, aborted)));

await app.StartAsync();
Console.WriteLine("ready");
await app.WaitForShutdownAsync();

static async Task ServeAsync(HttpContext context, Func<WebSocket, CancellationToken, Task> run)
{
    if (!context.WebSockets.IsWebSocketRequest)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return;
    }

    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    try
    {
        await run(socket, context.RequestAborted);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }
    catch (Exception e) when (e is WebSocketException or OperationCanceledException)
    {
        // The client is gone.
    }
}
