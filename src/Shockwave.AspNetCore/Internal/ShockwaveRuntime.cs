using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave.AspNetCore;

/// <summary>The one server of an application: its owners, its settings, and its place in the host's life.</summary>
internal sealed class ShockwaveRuntime : IHostedLifecycleService
{
    private readonly ILogger _logger;
    private readonly EngineHost? _engine;
    private readonly TimeSpan _drainTimeout;
    private readonly TimeProvider _time;

    /// <param name="options">The options, checked.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="engine">The event loops; <see langword="null"/> where the transport was not added.</param>
    /// <param name="time">The clock.</param>
    public ShockwaveRuntime(IOptions<ShockwaveOptions> options, ILoggerFactory loggers, EngineHost? engine = null, TimeProvider? time = null)
    {
        Options = options.Value;
        _time = time ?? TimeProvider.System;
        _logger = loggers.CreateLogger("Shockwave");
        _drainTimeout = Options.DrainTimeout;
        _engine = engine;
        Server = new ShockwaveServer(
            new StrandGroup(_time, Environment.ProcessorCount).Strands, new ConnectionSettings(Options, _time), new LoggedConnectionEvents(_logger), engine?.Loops?.Loops);
        Origins = new OriginPolicy(Options.AllowedOrigins, Options.AllowAnyOrigin);
        Compression = Options.Compression.Enabled ? new PermessageDeflate(
            new PermessageDeflateOptions
            {
                AllowServerContextTakeover = Options.Compression.AllowContextTakeover,
                AllowClientContextTakeover = Options.Compression.AllowPeerContextTakeover,
                ServerMaxWindowBits = Options.Compression.MaxWindowBits,
                CompressionLevel = Options.Compression.Level,
            },
            DeflateProvider.Current) : null;
    }

    public ShockwaveOptions Options { get; }

    public ShockwaveServer Server { get; }

    public OriginPolicy Origins { get; }

    /// <summary>Gets what negotiates permessage-deflate; <see langword="null"/> when it is off.</summary>
    public PermessageDeflate? Compression { get; }

    public ILogger Logger => _logger;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        ShockwaveLog.Started(
            _logger,
            _engine?.Description ?? "portable (the transport was not added)",
            ProtocolKernels.Masking,
            ProtocolKernels.Utf8,
            Compression is null ? "off" : DeflateProvider.Current.Description);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Closes the connections while the listener is still bound: an ordinary hosted service's stop would come after it.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (Server.ConnectionCount > 0)
        {
            ShockwaveLog.Draining(_logger, Server.ConnectionCount);
        }

        using var timeout = new CancellationTokenSource(_drainTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await Server.StopAsync(either.Token).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the loops: Kestrel, which used them, has stopped.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync().ConfigureAwait(false);
        }
    }
}
