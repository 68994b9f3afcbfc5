using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shockwave.Cli.Serve;

/// <summary>Publishes what the server counts, and the rates that follow from it, once a second.</summary>
internal sealed class LiveStatistics(IShockwaveServer server, TimeProvider? time = null) : IHostedService, IDisposable
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private ITimer? _timer;
    private ServerStatistics _last;
    private long _lastTimestamp;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _lastTimestamp = _time.GetTimestamp();
        _timer = _time.CreateTimer(_ => Publish(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _timer?.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    private void Publish()
    {
        var now = server.GetStatistics();
        double seconds = _time.GetElapsedTime(_lastTimestamp).TotalSeconds;
        _lastTimestamp = _time.GetTimestamp();
        var figures = new LiveFigures(
            now.ConnectionsOpen,
            now.ConnectionsTotal,
            Math.Round((now.MessagesReceived - _last.MessagesReceived) / seconds, 1),
            Math.Round((now.MessagesSent - _last.MessagesSent) / seconds, 1),
            now.MessagesDropped);
        _last = now;
        server.Publish(LiveHandler.Topic, JsonSerializer.SerializeToUtf8Bytes(figures, LiveFiguresContext.Default.LiveFigures), MessageType.Text);
    }
}

/// <summary>What the live page shows.</summary>
internal sealed record LiveFigures(int Connections, long ConnectionsTotal, double ReceivedPerSecond, double SentPerSecond, long Dropped);

/// <summary>Serialises <see cref="LiveFigures"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LiveFigures))]
internal sealed partial class LiveFiguresContext : JsonSerializerContext;
