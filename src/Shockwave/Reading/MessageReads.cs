using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Shockwave;

/// <summary>
/// The messages between a connection and its reader: the owner adds, one read at a time takes. Nothing is allocated for a message.
/// </summary>
/// <remarks>
/// Bounded: the owner stops reading the connection above <see cref="MaxWaitingBytes"/>, and after a receive already above
/// <see cref="MaxLeftBytes"/>: a receive brings up to 64 KiB, and what one connection holds, read or not, is to be little more than that.
/// The reader starts it again when it has taken everything. A message counts with a fixed cost as well, so empty ones are bounded too.
/// </remarks>
internal sealed class MessageReads(WebSocketConnection connection) : IValueTaskSource
{
    private const int MaxWaitingBytes = 64 * 1024;
    private const int CostPerMessage = 64;

    // One message of 16 KiB may be left: to pause and resume for each would cost more than to read it.
    private const int MaxLeftBytes = (16 * 1024) + CostPerMessage;

    /// <summary>Gets or sets the function that reads, while it runs; <see langword="null"/> where the reader is nobody of ours. On the owner.</summary>
    public Task? Served { get; set; }

    private readonly ConcurrentQueue<StoredMessage> _messages = new();
    private ManualResetValueTaskSourceCore<bool> _signal = new() { RunContinuationsAsynchronously = true };
    private StoredMessage? _next;
    private CancellationTokenRegistration _registration;
    private int _waitingBytes;
    private int _handedBytes;
    private int _isPaused;
    private int _isWaiting;
    private int _isReading;
    private bool _isEnded;

    /// <summary>Adds a message. On the owner.</summary>
    public void Add(in StoredMessage message)
    {
        int cost = message.Length + CostPerMessage;
        if (Interlocked.Add(ref _waitingBytes, cost) > MaxWaitingBytes)
        {
            Pause();
        }

        _messages.Enqueue(message);
        if (Signal())
        {
            _handedBytes = cost;
        }
    }

    /// <summary>Says that everything received so far was added. On the owner.</summary>
    public void EndReceive()
    {
        // What a reader was woken for is as good as taken.
        int handed = _handedBytes;
        _handedBytes = 0;
        if (Volatile.Read(ref _waitingBytes) - handed > MaxLeftBytes && Volatile.Read(ref _isPaused) == 0)
        {
            Pause();

            // The reader may have taken everything before it could see that it must start the reading again.
            if (Volatile.Read(ref _waitingBytes) == 0)
            {
                Resume();
            }
        }
    }

    /// <summary>Says that no message follows. On the owner.</summary>
    public void End()
    {
        Volatile.Write(ref _isEnded, true);
        Signal();
    }

    public ValueTask<ReceivedMessage> ReadAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReceivedMessage>(cancellationToken);
        }

        Enter();
        return TryPeek(out var message) ? new(Take(message)) : ReadSlowAsync(cancellationToken);
    }

    public ValueTask<MessageReadResult> ReadIntoAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<MessageReadResult>(cancellationToken);
        }

        Enter();
        return TryPeek(out var message) ? new(TakeInto(destination.Span, message)) : ReadIntoSlowAsync(destination, cancellationToken);
    }

    void IValueTaskSource.GetResult(short token)
    {
        _registration.Dispose();
        _signal.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReceivedMessage> ReadSlowAsync(CancellationToken cancellationToken) =>
        await WaitForMessageAsync(cancellationToken).ConfigureAwait(false) is { } message ? Take(message) : new ReceivedMessage(MessageType.Close, default);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<MessageReadResult> ReadIntoSlowAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        await WaitForMessageAsync(cancellationToken).ConfigureAwait(false) is { } message ? TakeInto(destination.Span, message) : new MessageReadResult(MessageType.Close, 0);

    private ReceivedMessage Take(in StoredMessage message)
    {
        var result = new ReceivedMessage(message.Type, message.Payload.ToArray());
        Taken(message);
        return result;
    }

    private MessageReadResult TakeInto(Span<byte> destination, in StoredMessage message)
    {
        if (message.Length > destination.Length)
        {
            // It stays where it is, for a read with more room.
            Exit();
            throw new MessageTooBigException(message.Length, destination.Length);
        }

        message.Payload.Span.CopyTo(destination);
        var result = new MessageReadResult(message.Type, message.Length);
        Taken(message);
        return result;
    }

    // Null after a proper end, and then the read is over.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<StoredMessage?> WaitForMessageAsync(CancellationToken cancellationToken)
    {
        bool isFound = false;
        try
        {
            StoredMessage? message;
            while (!TryPeekOrEnd(out message))
            {
                await WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            isFound = message is not null;
            return message;
        }
        finally
        {
            if (!isFound)
            {
                Exit();
            }
        }
    }

    // True with a message, or with null after a proper end; throws after an abnormal one. Messages come before the end.
    private bool TryPeekOrEnd(out StoredMessage? message)
    {
        bool wasEnded = Volatile.Read(ref _isEnded);
        if (TryPeek(out var found))
        {
            message = found;
            return true;
        }

        message = null;
        if (!wasEnded)
        {
            return false;
        }

        var info = connection.CloseInfo!.Value;
        return info.IsClean ? true : throw new ConnectionClosedException(info);
    }

    // Taken out of the queue and kept here for the one read under way, or the one after: the queue's own TryPeek would keep it from
    // using its memory again, 32 bytes for each message.
    private bool TryPeek(out StoredMessage message)
    {
        if (_next is null && _messages.TryDequeue(out message))
        {
            _next = message;
            return true;
        }

        message = _next.GetValueOrDefault();
        return _next is not null;
    }

    private void Taken(in StoredMessage message)
    {
        _next = null;
        message.Return();
        int left = Interlocked.Add(ref _waitingBytes, -(message.Length + CostPerMessage));
        if (left == 0)
        {
            Resume();
        }

        Exit();
    }

    private void Pause()
    {
        Interlocked.Exchange(ref _isPaused, 1);
        connection.PauseForReads();
    }

    // By whoever turns the flag, so once for each pause.
    private void Resume()
    {
        if (Interlocked.Exchange(ref _isPaused, 0) == 1)
        {
            connection.PostReadMore();
        }
    }

    // One waiter, one signal: whoever turns _isWaiting from 1 to 0 completes it, so each wait is completed exactly once.
    private ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        _signal.Reset();
        Interlocked.Exchange(ref _isWaiting, 1);
        _registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((MessageReads)state!).Cancel(token), this);
        if (!_messages.IsEmpty || Volatile.Read(ref _isEnded))
        {
            Signal();
        }

        return new ValueTask(this, _signal.Version);
    }

    // Returns whether a reader was waiting.
    private bool Signal()
    {
        if (Interlocked.Exchange(ref _isWaiting, 0) == 0)
        {
            return false;
        }

        _signal.SetResult(true);
        return true;
    }

    private void Cancel(CancellationToken token)
    {
        if (Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            _signal.SetException(new OperationCanceledException(token));
        }
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _isReading, 1) == 1)
        {
            throw new InvalidOperationException("Another read of this connection is under way: one at a time.");
        }
    }

    private void Exit() => Volatile.Write(ref _isReading, 0);
}
