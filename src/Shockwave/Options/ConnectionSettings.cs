using Shockwave.Protocol;

namespace Shockwave;

/// <summary>The options of a connection, checked and frozen, with times in ticks of the owner's clock.</summary>
internal sealed class ConnectionSettings
{
    public ConnectionSettings(ConnectionOptions options, TimeProvider time)
    {
        Limits = new MessageLimits(options.MaxMessageBytes, options.MaxFrameBytes ?? options.MaxMessageBytes, options.MaxFragmentsPerMessage);
        PingInterval = Ticks(options.PingInterval);
        PongTimeout = Ticks(options.PongTimeout);
        IdleTimeout = Ticks(options.IdleTimeout);
        MessageTimeout = Ticks(options.MessageTimeout);
        CloseTimeout = Ticks(options.CloseTimeout);
        WriteTimeout = Ticks(options.WriteTimeout);
        HandlerTimeout = Ticks(options.HandlerTimeout);
        HighWatermarkBytes = options.HighWatermarkBytes;
        MaxBufferedBytes = options.MaxBufferedBytes;
        Overflow = options.Overflow;
        CompressionThresholdBytes = options.Compression.ThresholdBytes;
        CompressionLevel = options.Compression.Level;

        // No deadline at all is one that never comes.
        long Ticks(TimeSpan? span) => span is { } value ? (long)(value.TotalSeconds * time.TimestampFrequency) : long.MaxValue / 4;
    }

    public MessageLimits Limits { get; }

    public long PingInterval { get; }

    public long PongTimeout { get; }

    public long IdleTimeout { get; }

    public long MessageTimeout { get; }

    public long CloseTimeout { get; }

    public long WriteTimeout { get; }

    public long HandlerTimeout { get; }

    public int HighWatermarkBytes { get; }

    public int MaxBufferedBytes { get; }

    public OverflowPolicy Overflow { get; }

    public int CompressionThresholdBytes { get; }

    public int CompressionLevel { get; }
}
