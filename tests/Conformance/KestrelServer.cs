using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Shockwave.Conformance;

/// <summary>An application as a user writes it, on stock Kestrel and a free port of 127.0.0.1: <c>/echo</c>.</summary>
public sealed class KestrelServer : IAsyncLifetime
{
    private readonly WebApplication _application;

    /// <summary>Builds the application.</summary>
    public KestrelServer()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.AddShockwave(options => options.Compression.Enabled = true);
        _application = builder.Build();
        _application.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
    }

    /// <summary>Gets where it listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = null!;

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        await _application.StartAsync();
        EndPoint = new IPEndPoint(IPAddress.Loopback, new Uri(_application.Urls.Single()).Port);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _application.DisposeAsync();

    /// <summary>Connects without Nagle's algorithm, so that each send is a segment.</summary>
    internal async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndPoint);
        return socket;
    }
}
