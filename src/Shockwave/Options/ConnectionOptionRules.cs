using Rules = Shockwave.OptionRules<Shockwave.ConnectionOptions>;

namespace Shockwave;

/// <summary>The rules of <see cref="ConnectionOptions"/>: the one place that says what may be configured, how, and within which range.</summary>
internal static class ConnectionOptionRules
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    public static IReadOnlyList<OptionRule<ConnectionOptions>> All { get; } =
    [
        Rules.Bytes("MaxMessageBytes", o => o.MaxMessageBytes, (o, value) => o.MaxMessageBytes = value),
        Rules.Bytes("MaxFrameBytes", o => o.MaxFrameBytes, (o, value) => o.MaxFrameBytes = value),
        Rules.Count("MaxFragmentsPerMessage", o => o.MaxFragmentsPerMessage, (o, value) => o.MaxFragmentsPerMessage = value, int.MaxValue),
        Rules.OptionalTime("PingInterval", _second, o => o.PingInterval, (o, value) => o.PingInterval = value),
        Rules.Time("PongTimeout", _second, o => o.PongTimeout, (o, value) => o.PongTimeout = value),
        Rules.OptionalTime("IdleTimeout", _second, o => o.IdleTimeout, (o, value) => o.IdleTimeout = value),
        Rules.Time("MessageTimeout", _second, o => o.MessageTimeout, (o, value) => o.MessageTimeout = value),
        Rules.Time("CloseTimeout", TimeSpan.FromMilliseconds(100), o => o.CloseTimeout, (o, value) => o.CloseTimeout = value),
        Rules.Time("WriteTimeout", _second, o => o.WriteTimeout, (o, value) => o.WriteTimeout = value),
        Rules.OptionalTime("HandlerTimeout", _second, o => o.HandlerTimeout, (o, value) => o.HandlerTimeout = value),
        Rules.Bytes("MaxBufferedBytes", o => o.MaxBufferedBytes, (o, value) => o.MaxBufferedBytes = value),
        Rules.Number(
            "HighWatermarkBytes", " (bytes)", o => o.HighWatermarkBytes, (o, value) => o.HighWatermarkBytes = value, 1, o => o.MaxBufferedBytes, "MaxBufferedBytes"),
        Rules.Choice("Overflow", o => o.Overflow, (o, value) => o.Overflow = value),
        Rules.Switch("Compression:Enabled", (o, value) => o.Compression.Enabled = value),
        Rules.Bytes("Compression:ThresholdBytes", o => o.Compression.ThresholdBytes, (o, value) => o.Compression.ThresholdBytes = value, least: 0),
        Rules.Count("Compression:Level", o => o.Compression.Level, (o, value) => o.Compression.Level = value, 9),
        Rules.Switch("Compression:AllowContextTakeover", (o, value) => o.Compression.AllowContextTakeover = value),
        Rules.Switch("Compression:AllowPeerContextTakeover", (o, value) => o.Compression.AllowPeerContextTakeover = value),
        Rules.Count("Compression:MaxWindowBits", o => o.Compression.MaxWindowBits, (o, value) => o.Compression.MaxWindowBits = value, 15, least: 9),
    ];
}
