using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Shockwave;

/// <summary>
/// The messages between a connection and its reader: the owner adds, one read at a time takes. Nothing is allocated for a message.
/// </summary>
/// <remarks>
/// Bounded: above <see cref="MaxWaitingBytes"/> the owner stops reading the connection, and the reader starts it again when it has
/// taken everything. A message counts with a fixed cost as well, so empty ones are bounded too.
/// </remarks>
internal sealed class MessageReads(WebSocketConnection connection) : IValueTaskSource
{
    private const int MaxWaitingBytes = 64 * 1024;
    private const int CostPerMessage = 64;

    private readonly ConcurrentQueue<StoredMessage> _messages = new();
    private ManualResetValueTaskSourceCore<bool> _signal = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private int _waitingBytes;
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
            Interlocked.Exchange(ref _isPaused, 1);
            connection.PauseForReads();
        }

        _messages.Enqueue(message);
        Signal();
    }

    /// <summary>Says that no message follows. On the owner.</summary>
    public void End()
    {
        Volatile.Write(ref _isEnded, true);
        Signal();
    }

    public ValueTask<ReceivedMessage> ReadAsync(CancellationToken cancellationToken)
    {
        Enter();
        return TryTake(out var result) ? new(result) : ReadSlowAsync(cancellationToken);

        bool TryTake(out ReceivedMessage result)
        {
            result = default;
            if (!_messages.TryDequeue(out var message))
            {
                return false;
            }

            result = new ReceivedMessage(message.Type, message.Payload.ToArray());
            Taken(message);
            return true;
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        async ValueTask<ReceivedMessage> ReadSlowAsync(CancellationToken token)
        {
            ReceivedMessage result;
            try
            {
                while (!TryPeekOrEnd(out _))
                {
                    await WaitAsync(token).ConfigureAwait(false);
                }
            }
            catch
            {
                Exit();
                throw;
            }

            if (!TryTake(out result))
            {
                Exit();
                result = new ReceivedMessage(MessageType.Close, default);
            }

            return result;
        }
    }

    public ValueTask<MessageReadResult> ReadIntoAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        Enter();
        return _messages.TryPeek(out var message) ? new(Take(message)) : ReadSlowAsync(cancellationToken);

        MessageReadResult Take(in StoredMessage message)
        {
            if (message.Length > destination.Length)
            {
                Exit();
                throw new MessageTooBigException(message.Length, destination.Length);
            }

            message.Payload.CopyTo(destination);
            _messages.TryDequeue(out _);
            var result = new MessageReadResult(message.Type, message.Length);
            Taken(message);
            return result;
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        async ValueTask<MessageReadResult> ReadSlowAsync(CancellationToken token)
        {
            StoredMessage? found;
            try
            {
                while (!TryPeekOrEnd(out found))
                {
                    await WaitAsync(token).ConfigureAwait(false);
                }
            }
            catch
            {
                Exit();
                throw;
            }

            if (found is { } message)
            {
                return Take(message);
            }

            Exit();
            return new MessageReadResult(MessageType.Close, 0);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _registration.Dispose();
        _signal.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _signal.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);

    // True with a message, or with null after a proper end; throws after an abnormal one. Messages come before the end.
    private bool TryPeekOrEnd(out StoredMessage? message)
    {
        bool wasEnded = Volatile.Read(ref _isEnded);
        if (_messages.TryPeek(out var found))
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

    private void Taken(in StoredMessage message)
    {
        message.Return();
        int left = Interlocked.Add(ref _waitingBytes, -(message.Length + CostPerMessage));
        if (left == 0 && Interlocked.Exchange(ref _isPaused, 0) == 1)
        {
            connection.PostReadMore();
        }

        Exit();
    }

    // One waiter, one signal: whoever turns _isWaiting from 1 to 0 completes it, so each wait is completed exactly once.
    private ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
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

    private void Signal()
    {
        if (Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            _signal.SetResult(true);
        }
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
