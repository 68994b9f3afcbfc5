using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Shockwave.AspNetCore;

/// <summary>Kestrel's transport on event loops. What is not TCP on an address of its own (Unix sockets, pipes, inherited handles) stays with the transports registered before.</summary>
internal sealed class EngineTransportFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private readonly EngineHost _engine;
    private readonly SocketTransportOptions _sockets;
    private readonly MemoryPool<byte> _memoryPool;
    private readonly PipeOptions _input;
    private readonly PipeOptions _output;

    public EngineTransportFactory(
        EngineHost engine, IOptions<KestrelServerOptions> kestrel, IOptions<SocketTransportOptions> sockets, IMemoryPoolFactory<byte>? memoryPools = null)
    {
        _engine = engine;
        _sockets = sockets.Value;
        _memoryPool = memoryPools?.Create() ?? MemoryPool<byte>.Shared;
        var limits = kestrel.Value.Limits;
        _input = CreateOptions(Math.Min(limits.MaxRequestBufferSize ?? long.MaxValue, KestrelLimits.MaxReadAheadBytes), PipeScheduler.ThreadPool, PipeScheduler.Inline);
        _output = CreateOptions(limits.MaxResponseBufferSize, PipeScheduler.Inline, PipeScheduler.ThreadPool);
    }

    /// <inheritdoc />
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint && _engine.Loops is not null;

    /// <inheritdoc />
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            return new(new EngineListener(
                _engine.Loops!,
                (IPEndPoint)endpoint,
                _sockets.Backlog,
                transport => new EngineConnection(transport, _memoryPool, _input, _output)));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            // Kestrel looks for this type and says which address it is.
            throw new AddressInUseException(e.Message, e);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _memoryPool.Dispose();

    private PipeOptions CreateOptions(long? maxBytes, PipeScheduler readerScheduler, PipeScheduler writerScheduler)
    {
        // Zero is no limit; writing goes on when half of the limit is free.
        long pause = maxBytes ?? 0;
        return new(_memoryPool, readerScheduler, writerScheduler, pause, pause / 2, useSynchronizationContext: false);
    }
}
