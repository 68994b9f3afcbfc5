namespace Shockwave;

/// <summary>A ping that somebody waits for.</summary>
internal sealed class PingRequest
{
    public TaskCompletionSource<TimeSpan> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long SentAt { get; set; }
}
