using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;

namespace Shockwave.AspNetCore;

/// <summary>Refuses what would look like a limit on connections and be none.</summary>
internal static class RateLimitingPolicies
{
    /// <summary>Looks for one of our endpoints with a rate-limiting policy.</summary>
    /// <exception cref="InvalidOperationException">There is one.</exception>
    /// <remarks>
    /// The middleware gives a policy's permit back when the request ends. What kind of limiter a policy makes cannot be seen before it makes
    /// one for a request, so all are refused, those too that only count upgrades in a time: as the global limiter they still can.
    /// </remarks>
    public static void ThrowIfAny(EndpointDataSource endpoints)
    {
        foreach (var endpoint in endpoints.Endpoints)
        {
            var metadata = endpoint.Metadata;
            if (metadata.GetMetadata<UpgradeEndpoint>() is null
                || metadata.GetMetadata<DisableRateLimitingAttribute>() is not null
                || metadata.GetMetadata<EnableRateLimitingAttribute>() is not { } policy)
            {
                continue;
            }

            throw new InvalidOperationException(
                $"'{endpoint.DisplayName}' has the rate-limiting policy '{policy.PolicyName ?? "(unnamed)"}', which gives its permit back when the connection is upgraded and so limits no connection. "
                + $"Set {ShockwaveOptions.SectionName}:{nameof(ShockwaveOptions.MaxConnections)}, {nameof(ShockwaveOptions.MaxConnectionsPerAddress)} or {nameof(ShockwaveOptions.UpgradesPerSecond)} instead; "
                + $"to count upgrades only, partition {nameof(RateLimiterOptions)}.{nameof(RateLimiterOptions.GlobalLimiter)} by path.");
        }
    }
}
