using System.Buffers;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>What one server, or client, keeps on one owner: its connections, their topics and counters. Used on the owner, unless it says otherwise.</summary>
/// <param name="owner">The owner.</param>
/// <param name="events">Where connections report.</param>
/// <param name="removed">Called on the owner when a connection has ended, before its handler is told.</param>
/// <param name="finished">Called, on any thread, when its handler is done with that as well.</param>
internal sealed class Shard(ConnectionOwner owner, ConnectionEvents events, Action<Shard>? removed = null, Action? finished = null)
{
    // As many readers as a burst of half-received messages may leave behind; a reader is about 200 bytes.
    private const int MaxSpareReaders = 1024;

    private readonly Stack<MessageReader> _spareReaders = new();
    private WebSocketConnection?[] _connections = new WebSocketConnection?[16];
    private TopicTable? _topics;
    private SharedDeflate? _sharedDeflate;
    private int _connectionCount;
    private int _load;

    /// <summary>Counted by threads that are not the owner: through Interlocked.</summary>
    public long MessagesDroppedOffOwner;

    public ConnectionOwner Owner { get; } = owner;

    public ConnectionEvents Events { get; } = events;

    public TopicTable Topics => _topics ??= new TopicTable(this);

    /// <summary>Gets or sets what publishes to all shards of the server; <see langword="null"/> on a client.</summary>
    public TopicHub? Hub { get; set; }

    /// <summary>Gets where a message is compressed to before it is framed.</summary>
    public ArrayBufferWriter<byte> CompressionOutput { get; } = new();

    /// <summary>Gets or sets where the payload begins that a handler is called with: tells the whole of it from a part.</summary>
    public nint DeliveredPayload { get; set; }

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

    /// <summary>Lends what a connection reads messages with: an idle connection has none, and the one used last is warm.</summary>
    public MessageReader RentReader(EndpointRole role, in MessageLimits limits)
    {
        if (!_spareReaders.TryPop(out var reader))
        {
            return new MessageReader(role, limits, Owner.Buffers);
        }

        reader.Reuse(role, limits);
        return reader;
    }

    /// <summary>Takes a reader back that is between messages.</summary>
    public void ReturnReader(MessageReader reader)
    {
        if (_spareReaders.Count < MaxSpareReaders)
        {
            _spareReaders.Push(reader);
        }
    }

    public void Add(WebSocketConnection connection)
    {
        if (_connectionCount == _connections.Length)
        {
            Array.Resize(ref _connections, 2 * _connections.Length);
        }

        connection.ShardIndex = _connectionCount;
        _connections[_connectionCount] = connection;
        Volatile.Write(ref _connectionCount, _connectionCount + 1);
    }

    // The last one moves into the gap.
    public void Remove(WebSocketConnection connection)
    {
        int index = connection.ShardIndex;
        if (index < 0)
        {
            return;
        }

        int count = _connectionCount - 1;
        var last = _connections[count]!;
        _connections[index] = last;
        last.ShardIndex = index;
        _connections[count] = null;
        connection.ShardIndex = -1;
        Volatile.Write(ref _connectionCount, count);
        Topics.RemoveAll(connection);
        removed?.Invoke(this);
    }

    /// <summary>Says that user code is done with a connection that has ended. Any thread.</summary>
    public void Finish() => finished?.Invoke();

    /// <summary>Gets whether the server is stopping: whoever stops it bounds how long its connections may take.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Closes every connection. From now on the shard drains.</summary>
    public void CloseAll(CloseCode code, string reason)
    {
        IsDraining = true;
        // From the end: whichever connection left meanwhile, one that was closed already would take its place.
        for (int i = _connectionCount - 1; i >= 0; i--)
        {
            _connections[i]!.Close(code, reason);
        }
    }

    /// <summary>Ends every connection at once.</summary>
    public void AbortAll()
    {
        for (int i = _connectionCount - 1; i >= 0; i--)
        {
            _connections[i]!.Abort();
        }
    }
}
