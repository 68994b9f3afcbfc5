using Shockwave.Protocol;
using Rules = Shockwave.OptionRules<Shockwave.WebSocketClientOptions>;

namespace Shockwave.Client;

/// <summary>The rules of <see cref="WebSocketClientOptions"/>, those of the connection first.</summary>
internal static class WebSocketClientOptionRules
{
    private static readonly OptionRule<WebSocketClientOptions>[] _all =
    [
        .. ConnectionOptionRules.All.Select(rule => new OptionRule<WebSocketClientOptions>(rule.Name, rule.Range, rule.TrySet, rule.FindBadValue)),
        Rules.List(
            "Subprotocols",
            "tokens (RFC 9110 §5.6.2), each once",
            o => o.Subprotocols,
            o => o.Subprotocols.FirstOrDefault(name => !HttpToken.IsToken(name)) ?? o.Subprotocols.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1)?.Key),
        Rules.Time("ConnectTimeout", TimeSpan.FromMilliseconds(100), o => o.ConnectTimeout, (o, value) => o.ConnectTimeout = value),
        Rules.Choice("Engine", o => o.Engine, (o, value) => o.Engine = value),
    ];

    /// <summary>Throws an <see cref="ArgumentException"/> that names every option out of range.</summary>
    public static void Check(WebSocketClientOptions options)
    {
        string errors = string.Join(" ", _all.Select(rule => rule.FindBadValue(options) is { } bad ? rule.Describe(bad) : null).OfType<string>());
        if (errors.Length > 0)
        {
            throw new ArgumentException(errors, nameof(options));
        }
    }
}
