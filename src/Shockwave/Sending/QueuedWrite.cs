namespace Shockwave;

/// <summary>A write that waits for room. Accepted or cancelled, whichever comes first.</summary>
internal sealed class QueuedWrite
{
    private readonly TaskCompletionSource<SendResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _registration;
    private int _isDecided;

    public QueuedWrite(ReadOnlyMemory<byte> payload, MessageType type, CancellationToken cancellationToken)
    {
        Payload = payload;
        Type = type;
        _registration = cancellationToken.UnsafeRegister(static (state, token) => ((QueuedWrite)state!).Cancel(token), this);
    }

    public ReadOnlyMemory<byte> Payload { get; }

    public MessageType Type { get; }

    public Task<SendResult> Task => _completion.Task;

    public bool IsCancelled => _completion.Task.IsCanceled;

    /// <summary>Decides for the write. False when it was cancelled: its payload must not be touched any more.</summary>
    public bool TryAccept() => Interlocked.Exchange(ref _isDecided, 1) == 0;

    public void SetResult(SendResult result)
    {
        _registration.Dispose();
        _completion.SetResult(result);
    }

    public void SetException(Exception error)
    {
        _registration.Dispose();
        _completion.SetException(error);
    }

    private void Cancel(CancellationToken token)
    {
        if (TryAccept())
        {
            _completion.SetCanceled(token);
        }
    }
}
