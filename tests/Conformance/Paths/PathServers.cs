using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Shockwave.Conformance;

/// <summary>A server for each path, started when the first test of a class asks for it.</summary>
public class PathServers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ServerPath, Lazy<Task<PathServer>>> _servers = new();

    /// <summary>Gets every path, for theories.</summary>
    public static TheoryData<ServerPath> All => [.. Enum.GetValues<ServerPath>()];

    /// <summary>Gets the paths that speak HTTP/1.1: one connection for each WebSocket.</summary>
    public static TheoryData<ServerPath> Http1 => [ServerPath.Epoll, ServerPath.IoUring, ServerPath.Portable, ServerPath.Tls];

    /// <summary>Gets the paths over plain TCP.</summary>
    public static TheoryData<ServerPath> Plain => [ServerPath.Epoll, ServerPath.IoUring, ServerPath.Portable];

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values)
        {
            await (await server.Value).DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    internal Task<PathServer> GetAsync(ServerPath path) =>
        _servers.GetOrAdd(path, _ => new Lazy<Task<PathServer>>(() => PathServer.StartAsync(path, Configure, Map, AddServices))).Value;

    /// <summary>Sets the options of every server.</summary>
    private protected virtual void Configure(ShockwaveOptions options)
    {
    }

    /// <summary>Adds services to every server.</summary>
    private protected virtual void AddServices(IServiceCollection services)
    {
    }

    /// <summary>Maps more endpoints on every server.</summary>
    private protected virtual void Map(WebApplication application)
    {
    }
}

/// <summary>Servers with the limits that the table of illegal frames depends on.</summary>
public sealed class LimitedPathServers : PathServers
{
    private protected override void Configure(ShockwaveOptions options)
    {
        options.MaxMessageBytes = IllegalFrame.Limits.MaxMessageBytes;
        options.MaxFrameBytes = IllegalFrame.Limits.MaxFrameBytes;
        options.MaxFragmentsPerMessage = IllegalFrame.Limits.MaxFragmentsPerMessage;
    }
}
