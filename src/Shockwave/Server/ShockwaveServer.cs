using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>All connections of one server, over its owners. Any thread.</summary>
internal sealed class ShockwaveServer : IShockwaveServer, IOwnerWork
{
    private readonly Shard[] _shards;
    private readonly int _strandCount;
    private readonly TopicHub _hub;
    private readonly ConnectionSettings _settings;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _connectionsTotal;
    private int _connections;

    // Those as well that have ended and whose handler is not done with that yet.
    private int _unfinished;
    private int _next;
    private volatile bool _isStopping;

    /// <param name="strands">The owners that connections are given to in turn.</param>
    /// <param name="settings">The settings of every connection.</param>
    /// <param name="events">Where connections report.</param>
    /// <param name="loops">The owners that adopt connections, each preferring those that it accepted.</param>
    public ShockwaveServer(
        IReadOnlyList<ConnectionOwner> strands, ConnectionSettings settings, ConnectionEvents events, IReadOnlyList<ConnectionOwner>? loops = null)
    {
        _settings = settings;
        _strandCount = strands.Count;
        _shards = [.. strands.Concat(loops ?? []).Select(owner => new Shard(owner, events, OnEnded, OnFinished))];
        _hub = new TopicHub(_shards);
        foreach (var shard in _shards)
        {
            shard.Hub = _hub;
        }
    }

    /// <inheritdoc />
    public int ConnectionCount => Volatile.Read(ref _connections);

    /// <summary>Gets whether the server is stopping and new connections are refused.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Gets where those who refuse a peer count it.</summary>
    public RefusalCounters Refusals { get; } = new();

    /// <summary>Picks the strand of a new connection.</summary>
    public Shard NextShard() => _shards[(uint)Interlocked.Increment(ref _next) % (uint)_strandCount];

    /// <summary>Starts a connection whose opening handshake is done.</summary>
    public WebSocketConnection Accept(Shard shard, Transport transport, MessageDispatcher dispatcher, UpgradeDetails upgrade)
    {
        Expect();
        shard.AddLoad(1);
        var connection = new WebSocketConnection(shard, transport, EndpointRole.Server, _settings, dispatcher, upgrade);
        connection.Start();
        CloseIfStopping(connection);
        return connection;
    }

    /// <summary>
    /// Counts a connection whose opening handshake is answered and which will be adopted: whoever stops waits for it. Then either
    /// <see cref="Adopt"/> or <see cref="Forget"/>.
    /// </summary>
    public void Expect()
    {
        Interlocked.Increment(ref _connections);
        Interlocked.Increment(ref _unfinished);
        Interlocked.Increment(ref _connectionsTotal);
    }

    /// <summary>Says that an expected connection ended before it began.</summary>
    public void Forget()
    {
        Interlocked.Decrement(ref _connections);
        OnFinished();
    }

    /// <summary>Picks the loop that adopts an expected connection, and counts it there: the one that has it, or one that has fewer.</summary>
    public Shard PlaceOnLoop(ConnectionOwner current)
    {
        var loops = _shards.AsSpan(_strandCount);
        var shard = loops[0];
        foreach (var candidate in loops)
        {
            if (candidate.Load < shard.Load || (candidate.Load == shard.Load && candidate.Owner == current))
            {
                shard = candidate;
            }
        }

        shard.AddLoad(1);
        return shard;
    }

    /// <summary>Begins an expected connection on the loop that it was placed on. On that loop.</summary>
    public WebSocketConnection Adopt(Shard shard, Transport transport, MessageDispatcher dispatcher, UpgradeDetails upgrade)
    {
        var connection = new WebSocketConnection(shard, transport, EndpointRole.Server, _settings, dispatcher, upgrade);
        connection.StartNow();
        CloseIfStopping(connection);
        return connection;
    }

    /// <inheritdoc />
    public PublishResult Publish(string topic, ReadOnlySpan<byte> payload, MessageType type)
    {
        if (type is not (MessageType.Text or MessageType.Binary))
        {
            throw new ArgumentOutOfRangeException(nameof(type), type, "A message is Text or Binary.");
        }

        return _hub.Publish(topic, payload, type);
    }

    /// <inheritdoc />
    public ServerStatistics GetStatistics()
    {
        long received = 0, sent = 0, dropped = 0, bytesReceived = 0, bytesSent = 0;
        foreach (var shard in _shards)
        {
            received += shard.MessagesReceived;
            sent += shard.MessagesSent;
            dropped += shard.MessagesDropped + Interlocked.Read(ref shard.MessagesDroppedOffOwner);
            bytesReceived += shard.BytesReceived;
            bytesSent += shard.BytesSent;
        }

        return new(ConnectionCount, Interlocked.Read(ref _connectionsTotal), received, sent, dropped, bytesReceived, bytesSent, Refusals.Read());
    }

    /// <summary>Refuses new connections, closes all others with 1012, and waits until they have ended and their handlers are done.</summary>
    /// <param name="cancellationToken">When cancelled, the rest is aborted.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        foreach (var shard in _shards)
        {
            shard.Owner.Post(this, shard, 0);
        }

        if (Volatile.Read(ref _unfinished) == 0)
        {
            return;
        }

        try
        {
            await _drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (var shard in _shards)
            {
                shard.Owner.Post(this, shard, 1);
            }
        }
    }

    void IOwnerWork.Run(object? state, long argument)
    {
        var shard = (Shard)state!;
        if (argument == 0)
        {
            shard.CloseAll(CloseCode.ServiceRestart, "server stops");
        }
        else
        {
            shard.AbortAll();
        }
    }

    private void CloseIfStopping(WebSocketConnection connection)
    {
        if (_isStopping)
        {
            connection.Close(CloseCode.ServiceRestart);
        }
    }

    private void OnEnded(Shard shard)
    {
        shard.AddLoad(-1);
        Interlocked.Decrement(ref _connections);
    }

    private void OnFinished()
    {
        if (Interlocked.Decrement(ref _unfinished) == 0 && _isStopping)
        {
            _drained.TrySetResult();
        }
    }
}
