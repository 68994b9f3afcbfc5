using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace Shockwave.AspNetCore;

/// <summary>Stands before the transport that Kestrel would use otherwise, whichever it is: the one place that sees each connection first.</summary>
/// <remarks>Kestrel asks the transport that was registered last.</remarks>
internal sealed class LimitedListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private readonly IServiceProvider _services;
    private readonly ShockwaveRuntime _runtime;
    private SocketTransportFactory? _sockets;

    public LimitedListenerFactory(IServiceProvider services, ShockwaveRuntime runtime)
    {
        _services = services;
        _runtime = runtime;
        Limits = new AcceptLimits(runtime);
        Deadlines = new HandshakeDeadlines(runtime.Options.HandshakeTimeout, runtime.Time, () => runtime.Refusals.Report(
            RefusalReason.HandshakeTimeout, statusCode: null, $"no request came within {ShockwaveOptions.SectionName}:{nameof(ShockwaveOptions.HandshakeTimeout)}"));
    }

    public AcceptLimits Limits { get; }

    public HandshakeDeadlines Deadlines { get; }

    /// <summary>Says whether Kestrel's connections come through here: not so where a transport was registered later.</summary>
    public static bool IsUsed(IServiceProvider services) =>
        services.GetServices<IConnectionListenerFactory>().LastOrDefault(factory => CanBind(factory, new IPEndPoint(IPAddress.Loopback, 0))) is LimitedListenerFactory;

    public bool CanBind(EndPoint endpoint) => CanBind(FindTransport(endpoint), endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = await FindTransport(endpoint).BindAsync(endpoint, cancellationToken).ConfigureAwait(false);
        return new LimitedListener(listener, Limits, Deadlines, _runtime.KestrelLimits.MaxConnections);
    }

    public void Dispose() => Deadlines.Dispose();

    private static bool CanBind(IConnectionListenerFactory factory, EndPoint endpoint) => (factory as IConnectionListenerFactorySelector)?.CanBind(endpoint) ?? true;

    // Kestrel registers its sockets only where no transport is registered yet, and this one may have been.
    private IConnectionListenerFactory FindTransport(EndPoint endpoint) =>
        _services.GetServices<IConnectionListenerFactory>().LastOrDefault(factory => factory != this && CanBind(factory, endpoint))
            ?? (_sockets ??= ActivatorUtilities.CreateInstance<SocketTransportFactory>(_services));
}
