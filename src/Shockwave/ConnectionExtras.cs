using System.Runtime.CompilerServices;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>What a connection needs only while something is up, or when it is asked for: most have none of it for most of their life.</summary>
/// <remarks>
/// For the owner, but for <see cref="Items"/>, <see cref="Completion"/>, <see cref="Closed"/>, <see cref="CloseInfo"/> and
/// <see cref="HasQueuedWrites"/>, which any thread may ask for.
/// </remarks>
internal sealed class ConnectionExtras
{
    /// <summary>Counted up by whoever writes, down by the owner: through Interlocked.</summary>
    public int QueuedWriteCount;

    private Dictionary<string, object?>? _items;
    private TaskCompletionSource? _completion;
    private CancellationTokenSource? _closed;
    private StrongBox<CloseInfo>? _closeInfo;
    private bool _isClosed;
    private bool _isCompleted;

    public string CloseReason { get; set; } = "";

    public Exception? Cause { get; set; }

    /// <summary>Gets or sets when the closing handshake must be complete; 0 before it began.</summary>
    public long CloseDue { get; set; }

    /// <summary>Gets or sets when our sending side is to be ended; 0 for never.</summary>
    public long ShutdownDue { get; set; }

    /// <summary>Gets or sets when the handler's task that is under way must have ended.</summary>
    public long HandlerDue { get; set; }

    /// <summary>Gets or sets whether the connection was failed because of that: whatever the task does later is nobody's news.</summary>
    public bool IsHandlerOverdue { get; set; }

    public Queue<QueuedWrite>? QueuedWrites { get; set; }

    public byte[]? HeldPong { get; set; }

    public int HeldPongLength { get; set; }

    public List<PingRequest>? Pings { get; set; }

    public MessageReads? Reads { get; set; }

    public bool HasQueuedWrites => Volatile.Read(ref QueuedWriteCount) != 0;

    public Dictionary<string, object?> Items => _items ?? Interlocked.CompareExchange(ref _items, [], null) ?? _items;

    public CloseInfo? CloseInfo => Volatile.Read(ref _closeInfo)?.Value;

    // Here and below: the end may come while this is made. It completes what it finds, and what it did not find is completed here.
    public Task Completion
    {
        get
        {
            var source = Volatile.Read(ref _completion);
            if (source is null)
            {
                var created = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                source = Interlocked.CompareExchange(ref _completion, created, null) ?? created;
                if (Volatile.Read(ref _isCompleted))
                {
                    source.TrySetResult();
                }
            }

            return source.Task;
        }
    }

    public CancellationToken Closed
    {
        get
        {
            var source = Volatile.Read(ref _closed);
            if (source is null)
            {
                var created = new CancellationTokenSource();
                source = Interlocked.CompareExchange(ref _closed, created, null) ?? created;
                if (Volatile.Read(ref _isClosed))
                {
                    source.Cancel();
                }
            }

            return source.Token;
        }
    }

    /// <summary>Says how the connection would be described if it ended now.</summary>
    public CloseInfo Describe(in CloseHandshake handshake) => new(handshake, CloseReason, Cause);

    /// <summary>Fixes how the connection ended. Once.</summary>
    public CloseInfo End(in CloseHandshake handshake)
    {
        Volatile.Write(ref _closeInfo, new StrongBox<CloseInfo>(Describe(handshake)));
        return _closeInfo!.Value;
    }

    /// <summary>Tells whoever waits for the end.</summary>
    public void Complete()
    {
        _isCompleted = true;

        // Here and below: between this and the next line, as between making a source and looking at the flag. One of the two sees the other.
        Interlocked.MemoryBarrier();
        _completion?.TrySetResult();
        CancelClosed();
    }

    /// <summary>Cancels <see cref="Closed"/>. Harmless when repeated.</summary>
    public void CancelClosed()
    {
        _isClosed = true;
        Interlocked.MemoryBarrier();

        // Not here on the owner: what is registered with the token is user code.
        _ = _closed?.CancelAsync();
    }
}
