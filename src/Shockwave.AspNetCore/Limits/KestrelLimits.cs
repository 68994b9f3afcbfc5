using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Shockwave.AspNetCore;

/// <summary>Kestrel's own limits, which hold for our connections too although Kestrel does not see them any more.</summary>
internal sealed class KestrelLimits
{
    /// <summary>
    /// As much as Kestrel's transports, ours too, may read ahead of whoever reads from them. What a WebSocket's peer sends while its handler
    /// is busy belongs into the socket: with what the portable path receives at once it is less than 64 KiB, where Kestrel's own is 1 MiB.
    /// </summary>
    public const int MaxReadAheadBytes = 32 * 1024;

    private static readonly long? _defaultReadAheadBytes = new SocketTransportOptions().MaxReadBufferSize;

    /// <summary>Gets the limit that Kestrel would have enforced by closing sockets without an answer, if it was taken over.</summary>
    public long? MaxConnections { get; private set; }

    /// <summary>Says how many connections beyond a limit are let in to be told of it.</summary>
    public static long PlacesBeyond(long most) => Math.Clamp(most / 8, 16, 1024);

    /// <summary>Reads the limits and takes over what is enforced here. After all services exist and before Kestrel binds.</summary>
    public void TakeOver(IServiceProvider services, ConnectionLimits connections, ILogger logger)
    {
        // Only where Kestrel is the server: elsewhere its options may be set, but nobody would have read them.
        if (services.GetService<IServer>()?.GetType().Assembly != typeof(KestrelServerOptions).Assembly)
        {
            return;
        }

        var limits = services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        connections.Lower(limits.MaxConcurrentUpgradedConnections, $"{nameof(KestrelServerLimits)}.{nameof(limits.MaxConcurrentUpgradedConnections)}");
        connections.Lower(limits.MaxConcurrentConnections, $"{nameof(KestrelServerLimits)}.{nameof(limits.MaxConcurrentConnections)}");
        if (!LimitedListenerFactory.IsUsed(services))
        {
            ShockwaveLog.TransportIsNotLimited(logger);
        }
        else if (limits.MaxConcurrentConnections is { } most and < int.MaxValue)
        {
            // Those a little beyond the limit are told so. Kestrel still closes what comes beyond those: it stays a limit.
            MaxConnections = most;
            limits.MaxConcurrentConnections = most + PlacesBeyond(most);
        }
    }

    /// <summary>Lowers what Kestrel's sockets read ahead, unless the application has set it.</summary>
    public static void LowerReadAhead(SocketTransportOptions sockets)
    {
        if (sockets.MaxReadBufferSize == _defaultReadAheadBytes)
        {
            sockets.MaxReadBufferSize = MaxReadAheadBytes;
        }
    }

    /// <summary>Lowers the time for a request's head: on a connection that had a request before, Kestrel alone measures it.</summary>
    public static void LowerHeadersTimeout(KestrelServerOptions kestrel, IOptions<ShockwaveOptions> options)
    {
        if (kestrel.Limits.RequestHeadersTimeout > options.Value.HandshakeTimeout)
        {
            kestrel.Limits.RequestHeadersTimeout = options.Value.HandshakeTimeout;
        }
    }
}
