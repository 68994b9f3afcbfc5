namespace Shockwave.Engine;

/// <summary>A bounded stack of arrays. Any thread: nobody holds its lock for more than a few instructions.</summary>
internal sealed class BufferStack(int capacity)
{
    private readonly byte[]?[] _buffers = new byte[]?[capacity];
    private SpinLock _lock = new(enableThreadOwnerTracking: false);
    private int _count;

    // The fewest since the last trim: so many lay there all the time.
    private int _fewest;

    public int Count => Volatile.Read(ref _count);

    public byte[]? TryPop()
    {
        // Without the lock where there is nothing.
        if (Volatile.Read(ref _count) == 0)
        {
            return null;
        }

        byte[]? buffer = null;
        bool isTaken = false;
        _lock.Enter(ref isTaken);
        if (_count > 0)
        {
            buffer = _buffers[--_count];
            _buffers[_count] = null;
            _fewest = Math.Min(_fewest, _count);
        }

        _lock.Exit(useMemoryBarrier: false);
        return buffer;
    }

    public bool TryPush(byte[] buffer)
    {
        if (Volatile.Read(ref _count) == _buffers.Length)
        {
            return false;
        }

        bool isTaken = false;
        bool isPushed = false;
        _lock.Enter(ref isTaken);
        if (_count < _buffers.Length)
        {
            _buffers[_count++] = buffer;
            isPushed = true;
        }

        _lock.Exit(useMemoryBarrier: false);
        return isPushed;
    }

    public void Trim(bool toNothing)
    {
        bool isTaken = false;
        _lock.Enter(ref isTaken);

        // The ones at the bottom lie there longest, but any are as good: those on top are likelier to be in a cache.
        int removed = toNothing ? _count : _fewest;
        _buffers.AsSpan(removed, _count - removed).CopyTo(_buffers);
        _buffers.AsSpan(_count - removed, removed).Clear();
        _count -= removed;
        _fewest = _count;
        _lock.Exit(useMemoryBarrier: false);
    }
}
