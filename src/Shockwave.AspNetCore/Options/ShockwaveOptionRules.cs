using Shockwave.Protocol;
using Rules = Shockwave.OptionRules<Shockwave.ShockwaveOptions>;

namespace Shockwave.AspNetCore;

/// <summary>The rules of <see cref="ShockwaveOptions"/>, those of the connection first.</summary>
internal static class ShockwaveOptionRules
{
    public static IReadOnlyList<OptionRule<ShockwaveOptions>> All { get; } =
    [
        .. ConnectionOptionRules.All.Select(rule => new OptionRule<ShockwaveOptions>(rule.Name, rule.Range, rule.TrySet, rule.FindBadValue)),
        Rules.List("AllowedOrigins", "origins as a browser sends them, such as https://example.com", o => o.AllowedOrigins, FindBadOrigin),
        Rules.Switch("AllowAnyOrigin", (o, value) => o.AllowAnyOrigin = value),
        Rules.List("Subprotocols", "tokens (RFC 9110 §5.6.2)", o => o.Subprotocols, o => o.Subprotocols.FirstOrDefault(name => !HttpToken.IsToken(name))),
        OptionalCount("MaxConnections", int.MaxValue, o => o.MaxConnections, (o, value) => o.MaxConnections = value),
        OptionalCount("MaxConnectionsPerAddress", int.MaxValue, o => o.MaxConnectionsPerAddress, (o, value) => o.MaxConnectionsPerAddress = value),
        Rules.List(
            "ExemptAddresses",
            "IP addresses, or networks in CIDR notation such as 10.0.0.0/8",
            o => o.ExemptAddresses,
            o => o.ExemptAddresses.FirstOrDefault(text => AddressExemptions.Parse(text) is null)),
        OptionalCount("AcceptsPerSecond", 1_000_000, o => o.AcceptsPerSecond, (o, value) => o.AcceptsPerSecond = value),
        OptionalCount("UpgradesPerSecond", 1_000_000, o => o.UpgradesPerSecond, (o, value) => o.UpgradesPerSecond = value),
        Rules.Time("HandshakeTimeout", TimeSpan.FromSeconds(1), o => o.HandshakeTimeout, (o, value) => o.HandshakeTimeout = value),
        Rules.Time("DrainTimeout", TimeSpan.FromSeconds(1), o => o.DrainTimeout, (o, value) => o.DrainTimeout = value),
        Rules.Choice("Engine", o => o.Engine, (o, value) => o.Engine = value),
        Rules.Count("Loops", o => o.Loops, (o, value) => o.Loops = value, 1024),
        Rules.Time("BusyPoll", TimeSpan.Zero, o => o.BusyPoll, (o, value) => o.BusyPoll = value, TimeSpan.FromMilliseconds(10)),
    ];

    /// <summary>Names every option that is out of range, with its value and its range.</summary>
    public static IEnumerable<string> FindErrors(ShockwaveOptions options) =>
        from rule in All
        let bad = rule.FindBadValue(options)
        where bad is not null
        select $"{ShockwaveOptions.SectionName}:{rule.Describe(bad)}";

    // A count that an empty text turns off.
    private static OptionRule<ShockwaveOptions> OptionalCount(string name, int most, Func<ShockwaveOptions, int?> get, Action<ShockwaveOptions, int?> set)
    {
        var count = Rules.Count(name, get, (options, value) => set(options, value), most);
        return count with { Range = $"{count.Range}, or empty for no limit", TrySet = TrySet };

        bool TrySet(ShockwaveOptions options, string text)
        {
            if (text.Length != 0)
            {
                return count.TrySet(options, text);
            }

            set(options, null);
            return true;
        }
    }

    private static string? FindBadOrigin(ShockwaveOptions options)
    {
        try
        {
            _ = new OriginPolicy(options.AllowedOrigins);
            return null;
        }
        catch (ArgumentException)
        {
            return string.Join(", ", options.AllowedOrigins);
        }
    }
}
