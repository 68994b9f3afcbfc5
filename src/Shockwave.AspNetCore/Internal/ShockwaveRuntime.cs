using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave.AspNetCore;

/// <summary>The one server of an application: its owners, its settings, and its place in the host's life.</summary>
internal sealed class ShockwaveRuntime : IHostedLifecycleService, IDisposable
{
    private readonly ILogger _logger;
    private readonly EngineHost? _engine;
    private readonly IServiceProvider _services;
    private readonly TimeSpan _drainTimeout;

    /// <param name="options">The options, checked.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="services">The application's services.</param>
    /// <param name="engine">The event loops; <see langword="null"/> where the transport was not added.</param>
    /// <param name="time">The clock.</param>
    public ShockwaveRuntime(IOptions<ShockwaveOptions> options, ILoggerFactory loggers, IServiceProvider services, EngineHost? engine = null, TimeProvider? time = null)
    {
        Options = options.Value;
        _services = services;
        Time = time ?? TimeProvider.System;
        _logger = loggers.CreateLogger("Shockwave");
        _drainTimeout = Options.DrainTimeout;
        _engine = engine;
        Limits = new ConnectionLimits(Options, Time);
        Server = new ShockwaveServer(
            new StrandGroup(Time, Environment.ProcessorCount).Strands, new ConnectionSettings(Options, Time), new LoggedConnectionEvents(_logger, Limits), engine?.Loops?.Loops);
        Refusals = new Refusals(Server.Refusals, _logger, Time);
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

    public TimeProvider Time { get; }

    public ShockwaveServer Server { get; }

    public ConnectionLimits Limits { get; }

    public KestrelLimits KestrelLimits { get; } = new();

    public Refusals Refusals { get; }

    public OriginPolicy Origins { get; }

    /// <summary>Gets what negotiates permessage-deflate; <see langword="null"/> when it is off.</summary>
    public PermessageDeflate? Compression { get; }

    public ILogger Logger => _logger;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        Limits.Exempt(KnownProxies(_services.GetService<IOptions<ForwardedHeadersOptions>>()?.Value));
        KestrelLimits.TakeOver(_services, Limits, _logger);
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

        using var timeout = new CancellationTokenSource(_drainTimeout, Time);
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

    public void Dispose() => Refusals.Dispose();

    // A request that still shows a proxy's address is the proxy's own, such as a health check.
    private static IEnumerable<IPNetwork> KnownProxies(ForwardedHeadersOptions? options) =>
        options is null ? [] : [.. options.KnownProxies.Select(AddressExemptions.Single), .. options.KnownIPNetworks];
}
