using System.Buffers;

namespace Shockwave.Testing;

/// <summary>Bytes on their way, in order. Holds no memory while it is empty.</summary>
internal struct ByteQueue
{
    private byte[]? _buffer;
    private int _start;
    private int _end;

    public readonly int Count => _end - _start;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_buffer is null || _buffer.Length - _end < bytes.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(1024, Count * 2 + bytes.Length));
            int count = Count;
            _buffer.AsSpan(_start, count).CopyTo(larger);
            Release();
            (_buffer, _end) = (larger, count);
        }

        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    public int Read(Span<byte> target)
    {
        int count = Math.Min(target.Length, Count);
        _buffer.AsSpan(_start, count).CopyTo(target);
        _start += count;
        if (Count == 0)
        {
            Release();
        }

        return count;
    }

    /// <summary>Moves bytes from another queue.</summary>
    public void MoveFrom(ref ByteQueue other, int count)
    {
        Write(other._buffer.AsSpan(other._start, count));
        other._start += count;
        if (other.Count == 0)
        {
            other.Release();
        }
    }

    public void Clear() => Release();

    private void Release()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }

        _start = _end = 0;
    }
}
