using System.Diagnostics;
using System.Net;
using System.Security.Claims;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>What the opening handshake left behind: copies, so that nothing of the request stays alive.</summary>
internal sealed record UpgradeDetails
{
    public static readonly UpgradeDetails None = new();

    public string? Subprotocol { get; init; }

    public ClaimsPrincipal? User { get; init; }

    public IReadOnlyDictionary<string, object?> RouteValues { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, object?>.Empty;

    public EndPoint? RemoteEndPoint { get; init; }

    public ActivityContext TraceContext { get; init; }

    public PermessageDeflateParameters? Compression { get; init; }

    /// <summary>Gets what a connection keeps of this: the address apart, no trace that nobody records, and one shared object for nothing.</summary>
    public UpgradeDetails Shrink(out StoredEndPoint remoteEndPoint)
    {
        if (this == None)
        {
            remoteEndPoint = default;
            return None;
        }

        var kept = this with
        {
            RemoteEndPoint = StoredEndPoint.TryStore(RemoteEndPoint, out remoteEndPoint) ? null : RemoteEndPoint,
            TraceContext = (TraceContext.TraceFlags & ActivityTraceFlags.Recorded) != 0 ? TraceContext : default,
        };
        return kept == None ? None : kept;
    }
}
