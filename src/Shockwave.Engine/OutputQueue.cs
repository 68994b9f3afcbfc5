using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>What a transport has still to send: pieces of pooled buffers, in order. Used by one transport at a time, on its owner.</summary>
/// <remarks>
/// Small writes collect in the last buffer, behind what may already be under way from it. The queue owns its buffers and gives each back
/// once everything in it was taken; an owner keeps empty queues for the next transport, so an idle one has none. With an arena, what is
/// small and has nothing before it is written there.
/// </remarks>
internal sealed unsafe class OutputQueue(ArrayPool<byte> buffers, SendArena? arena = null)
{
    /// <summary>The size of the buffers that small writes collect in.</summary>
    public const int SegmentBytes = 16 * 1024;

    private Segment[] _segments = new Segment[4];
    private int _first;
    private int _count;
    private bool _hasBorrowed;

    /// <summary>Gets whether nothing is left to send.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>Gets the number of pieces.</summary>
    public int Count => _count;

    /// <summary>Gets what is left of one piece.</summary>
    /// <param name="index">0 for the one to be sent next.</param>
    public OutputPiece this[int index]
    {
        get
        {
            ref var segment = ref At(index);
            return new(segment.Buffer, segment.Memory, segment.Start, segment.End - segment.Start);
        }
    }

    /// <summary>Lends room behind what was written last; follow with <see cref="Commit"/>.</summary>
    public Span<byte> GetSpan(int size)
    {
        ref var tail = ref At(_count - 1);
        if (_count == 0 || !tail.HasRoom(size))
        {
            RemoveUnusedLast();
            AppendRoom(size);
            tail = ref At(_count - 1);
        }

        return tail.Buffer is null
            ? new Span<byte>(tail.Memory + tail.End, tail.Limit - tail.End)
            : MemoryMarshal.CreateSpan(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(tail.Buffer), tail.End), tail.Limit - tail.End);
    }

    /// <summary>Says how many bytes of <see cref="GetSpan"/> were written.</summary>
    public void Commit(int count)
    {
        ref var tail = ref At(_count - 1);
        tail.End += count;
        if (tail.Chunk is not null)
        {
            tail.Chunk.Used += count;
        }
    }

    /// <summary>Takes over a pooled buffer without copying it.</summary>
    public void Add(byte[] buffer, int start, int count)
    {
        RemoveUnusedLast();
        if (count == 0)
        {
            buffers.Return(buffer);
            return;
        }

        Append(new Segment { Buffer = buffer, Start = start, End = start + count, Limit = start + count });
    }

    /// <summary>Takes bytes of native memory without copying them: <see cref="KeepBorrowed"/> must be called before they change.</summary>
    public void Borrow(byte* bytes, int count)
    {
        RemoveUnusedLast();
        _hasBorrowed = true;
        Append(new Segment { Memory = bytes, End = count, Limit = count });
    }

    /// <summary>Copies what is left of the borrowed bytes.</summary>
    public void KeepBorrowed()
    {
        if (!_hasBorrowed)
        {
            return;
        }

        _hasBorrowed = false;
        for (int i = 0; i < _count; i++)
        {
            ref var segment = ref At(i);
            if (segment.IsBorrowed)
            {
                int count = segment.End - segment.Start;
                byte[] buffer = buffers.Rent(count);
                new ReadOnlySpan<byte>(segment.Memory + segment.Start, count).CopyTo(buffer);
                segment = new Segment { Buffer = buffer, End = count, Limit = count };
            }
        }
    }

    /// <summary>Gets where a piece begins, for a kernel that sends it later: it stays there until <see cref="Advance"/> or <see cref="Clear"/> has passed it.</summary>
    public byte* Pin(int index)
    {
        ref var segment = ref At(index);
        if (segment.Buffer is null)
        {
            return segment.Memory + segment.Start;
        }

        if (!segment.Handle.IsAllocated)
        {
            segment.Handle = GCHandle.Alloc(segment.Buffer, GCHandleType.Pinned);
        }

        return (byte*)segment.Handle.AddrOfPinnedObject() + segment.Start;
    }

    /// <summary>Says that this many bytes from the front were taken.</summary>
    public void Advance(int count)
    {
        while (count > 0)
        {
            ref var head = ref At(0);
            int taken = Math.Min(count, head.End - head.Start);
            head.Start += taken;
            count -= taken;
            if (head.Start == head.End)
            {
                RemoveFirst();
            }
        }
    }

    /// <summary>Gives every buffer back; what was not sent is lost.</summary>
    public void Clear()
    {
        while (_count > 0)
        {
            RemoveFirst();
        }
    }

    private void AppendRoom(int size)
    {
        if (_count == 0 && arena is not null && size <= SendArena.MaxWriteBytes)
        {
            var chunk = arena.Rent(size);
            Append(new Segment { Chunk = chunk, Memory = chunk.End, Limit = chunk.Room });
            return;
        }

        byte[] buffer = buffers.Rent(Math.Max(size, SegmentBytes));
        Append(new Segment { Buffer = buffer, Limit = buffer.Length });
    }

    private ref Segment At(int index) => ref _segments[(_first + index) & (_segments.Length - 1)];

    private void Append(in Segment segment)
    {
        if (_count == _segments.Length)
        {
            var larger = new Segment[_count * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = At(i);
            }

            _segments = larger;
            _first = 0;
        }

        _count++;
        At(_count - 1) = segment;
    }

    // Lent, and nothing was written: an empty piece would be sent again and again.
    private void RemoveUnusedLast()
    {
        if (_count > 0 && At(_count - 1) is var last && last.Start == last.End)
        {
            Return(last);
            At(--_count) = default;
        }
    }

    private void RemoveFirst()
    {
        Return(At(0));
        At(0) = default;
        _first = (_first + 1) & (_segments.Length - 1);
        _count--;
    }

    private void Return(in Segment segment)
    {
        if (segment.Handle.IsAllocated)
        {
            segment.Handle.Free();
        }

        if (segment.Buffer is not null)
        {
            buffers.Return(segment.Buffer);
        }
        else if (segment.Chunk is not null)
        {
            arena!.Return(segment.Chunk);
        }
    }

    private struct Segment
    {
        // Either a pooled array or native memory: of the arena's chunk, or somebody's.
        public byte[]? Buffer;
        public byte* Memory;
        public SendChunk? Chunk;
        public GCHandle Handle;
        public int Start;
        public int End;

        // Where writing must stop: the end of our own buffers, the end of what was written in one that was taken over.
        public int Limit;

        public readonly bool IsBorrowed => Memory is not null && Chunk is null;

        // In a chunk only while no other queue has written behind it.
        public readonly bool HasRoom(int size) => Limit - End >= size && (Chunk is null || Memory + End == Chunk.End);
    }
}

/// <summary>A piece of what is to be sent: in an array, or in native memory.</summary>
internal readonly unsafe struct OutputPiece(byte[]? buffer, byte* memory, int start, int count)
{
    /// <summary>Gets the number of bytes; at least 1.</summary>
    public int Count => count;

    /// <summary>Gets the bytes, for whoever neither borrows nor has an arena.</summary>
    public ReadOnlyMemory<byte> Memory => new(buffer, start, count);

    /// <summary>Gets the first byte. Of an array, only while that is pinned.</summary>
    public ref byte First => ref buffer is null ? ref memory[start] : ref buffer[start];
}
