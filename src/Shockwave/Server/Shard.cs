using System.Buffers;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>What one server, or client, keeps on one owner: its connections, their topics and counters. Used on the owner, unless it says otherwise.</summary>
/// <param name="owner">The owner.</param>
/// <param name="events">Where connections report.</param>
/// <param name="removed">Called on the owner when a connection has ended, before its handler is told.</param>
internal sealed class Shard(ConnectionOwner owner, ConnectionEvents events, Action<Shard>? removed = null)
{
    private readonly HashSet<WebSocketConnection> _connections = [];
    private SharedDeflate? _sharedDeflate;
    private int _connectionCount;
    private int _load;

    /// <summary>Counted by threads that are not the owner: through Interlocked.</summary>
    public long MessagesDroppedOffOwner;

    public ConnectionOwner Owner { get; } = owner;

    public ConnectionEvents Events { get; } = events;

    public TopicTable Topics { get; } = new();

    /// <summary>Gets or sets what publishes to all shards of the server; <see langword="null"/> on a client.</summary>
    public TopicHub? Hub { get; set; }

    /// <summary>Gets where a message is compressed to before it is framed.</summary>
    public ArrayBufferWriter<byte> CompressionOutput { get; } = new();

    // Written by the owner alone and read by anyone: each is a running total, and a torn or late one is impossible on 64 bits.
    public long MessagesReceived { get; set; }

    public long MessagesSent { get; set; }

    public long MessagesDropped { get; set; }

    public long BytesReceived { get; set; }

    public long BytesSent { get; set; }

    /// <summary>Gets the number of open connections. Any thread.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <summary>Gets how many connections the server has placed here, those included that are still on their way. Any thread.</summary>
    public int Load => Volatile.Read(ref _load);

    /// <summary>Notes that a connection was placed here, or that it is gone. Any thread.</summary>
    public void AddLoad(int change) => Interlocked.Add(ref _load, change);

    /// <summary>Gets what connections without context takeover compress and inflate with, made when the first of them comes.</summary>
    public SharedDeflate GetSharedDeflate(int level) => _sharedDeflate ??= new SharedDeflate(DeflateProvider.Current, level);

    public void Add(WebSocketConnection connection)
    {
        _connections.Add(connection);
        Volatile.Write(ref _connectionCount, _connections.Count);
    }

    public void Remove(WebSocketConnection connection)
    {
        if (_connections.Remove(connection))
        {
            Volatile.Write(ref _connectionCount, _connections.Count);
            Topics.RemoveAll(connection);
            removed?.Invoke(this);
        }
    }

    /// <summary>Closes every connection.</summary>
    public void CloseAll(CloseCode code, string reason)
    {
        foreach (var connection in _connections)
        {
            connection.Close(code, reason);
        }
    }

    /// <summary>Ends every connection at once.</summary>
    public void AbortAll()
    {
        foreach (var connection in _connections)
        {
            connection.Abort();
        }
    }
}
