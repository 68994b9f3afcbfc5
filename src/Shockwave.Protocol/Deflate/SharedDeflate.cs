namespace Shockwave.Protocol;

/// <summary>
/// The inflaters and deflaters that the connections of one owner share where no context takeover was agreed, so that an idle connection
/// holds none. Not thread-safe: one per owner, which disposes it.
/// </summary>
/// <param name="provider">Creates what is missing.</param>
/// <param name="level">The compression level, 1 to 9.</param>
internal sealed class SharedDeflate(DeflateProvider provider, int level) : IDisposable
{
    // Rented longer than for one call only by messages that come in fragments; an inflater is about 40 KiB.
    private const int MaxIdleInflaters = 16;

    private readonly Stack<MessageInflater> _idle = new();
    private readonly MessageDeflater?[] _deflaters = new MessageDeflater?[DeflateProvider.MaxWindowBits + 1];
    private bool _isDisposed;

    /// <summary>Gets how many inflaters wait to be rented.</summary>
    public int IdleInflaterCount => _idle.Count;

    /// <summary>Lends an inflater for one message. It knows nothing of any other message.</summary>
    /// <returns>An inflater to be given to <see cref="Return"/>. One that is not returned is lost to the pool and to nothing else.</returns>
    /// <exception cref="ObjectDisposedException">The owner has gone.</exception>
    public MessageInflater RentInflater()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_idle.TryPop(out MessageInflater? inflater))
        {
            // Here rather than on return: whatever state it was given back in, the next message starts with an empty window.
            inflater.Reset();
        }
        else
        {
            // The largest window, as it serves every peer.
            inflater = provider.CreateInflater();
        }

        inflater.RentedFrom = this;
        return inflater;
    }

    /// <summary>Takes back an inflater, in whatever state the message left it.</summary>
    /// <param name="inflater">The inflater; not to be used again by whom it was lent to.</param>
    /// <exception cref="InvalidOperationException">It is not on loan from here: returned twice, or another pool's.</exception>
    public void Return(MessageInflater inflater)
    {
        if (inflater.RentedFrom != this)
        {
            // Two connections with one inflater would read each other's messages.
            throw new InvalidOperationException("The inflater is not on loan from this pool.");
        }

        inflater.RentedFrom = null;
        if (_isDisposed || _idle.Count == MaxIdleInflaters)
        {
            inflater.Dispose();
        }
        else
        {
            _idle.Push(inflater);
        }
    }

    /// <summary>Gets the deflater for a window. One per window size, however many connections agreed on it.</summary>
    /// <param name="windowBits">The window agreed for this endpoint.</param>
    /// <returns>A deflater without context takeover, which this pool keeps and disposes.</returns>
    /// <exception cref="ObjectDisposedException">The owner has gone.</exception>
    public MessageDeflater GetDeflater(int windowBits)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _deflaters[windowBits] ??= provider.CreateDeflater(level, windowBits, hasContextTakeover: false);
    }

    /// <summary>Frees everything but what is on loan, which is freed when it comes back.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryPop(out MessageInflater? inflater))
        {
            inflater.Dispose();
        }

        foreach (MessageDeflater? deflater in _deflaters)
        {
            deflater?.Dispose();
        }
    }
}
