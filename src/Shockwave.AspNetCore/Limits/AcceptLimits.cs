namespace Shockwave.AspNetCore;

/// <summary>What all listeners of an application let in together: so many connections a second, and so many at a time. Any thread.</summary>
/// <remarks>
/// Those that come too fast wait, in the kernel's queue, and are not refused: nobody could tell them so, and closing them makes them come again.
/// Those that are too many are closed: an answer costs a TLS handshake and a request, and whoever gets here came past the places for
/// answers, <see cref="KestrelLimits.PlacesBeyond"/>.
/// </remarks>
internal sealed class AcceptLimits
{
    private readonly ShockwaveRuntime _runtime;
    private readonly RateLimit? _rate;
    private readonly Lock _rateLock = new();
    private readonly long _most;
    private readonly string _closed;
    private long _count;

    public AcceptLimits(ShockwaveRuntime runtime)
    {
        _runtime = runtime;
        var options = runtime.Options;
        _rate = options.AcceptsPerSecond is { } perSecond ? new RateLimit(perSecond, runtime.Time) : null;
        _most = options.MaxConnections is { } most ? most + KestrelLimits.PlacesBeyond(most) : long.MaxValue;
        _closed = $"there are {_most} TCP connections, as many as {ShockwaveOptions.SectionName}:{nameof(ShockwaveOptions.MaxConnections)} and the places for refusals allow";
    }

    /// <summary>Gets how many TCP connections there are that were not upgraded.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Takes one of the second's places, and waits until it is there.</summary>
    /// <param name="unbinding">Ends the wait: whoever was accepted before the end is served.</param>
    public async ValueTask WaitAsync(CancellationToken unbinding)
    {
        if (_rate is null || TakeFromRate() is not { Ticks: > 0 } wait)
        {
            return;
        }

        await Task.Delay(wait, _runtime.Time, unbinding).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Counts a TCP connection until <see cref="Leave"/>, or says that there are enough. Of those that were upgraded our WebSockets count.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) + _runtime.Limits.Count <= _most)
        {
            return true;
        }

        Leave();
        _runtime.Refusals.Report(RefusalReason.TcpConnections, statusCode: null, _closed);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _count);

    private TimeSpan TakeFromRate()
    {
        lock (_rateLock)
        {
            return _rate!.TakeAhead();
        }
    }
}
