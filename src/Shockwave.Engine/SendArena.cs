using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>
/// Pooled memory in which the small writes of many connections lie side by side: for a kernel that takes bytes later than it is told of them.
/// With a buffer for each connection as many buffers would wait as connections answer, each new to the processor's cache, and each pinned
/// by itself. On the owner.
/// </summary>
/// <remarks>
/// A chunk goes back to the pool when nothing in it waits any more. A peer that does not read keeps one from that, so chunks are as small as
/// the buffers that its later writes collect in. An owner whose connections have nothing to send holds none.
/// </remarks>
internal sealed class SendArena(ArrayPool<byte> buffers)
{
    /// <summary>The largest write that is worth a copy to here.</summary>
    public const int MaxWriteBytes = 2048;

    // Without their memory. More than these are not kept: peers that stopped reading once must not leave them behind for ever.
    private const int MaxSpareChunks = 64;

    private readonly Stack<SendChunk> _spare = new();
    private SendChunk? _current;

    /// <summary>Lends a chunk with room for a write; <see cref="Return"/> it when its bytes were sent.</summary>
    /// <param name="size"><see cref="MaxWriteBytes"/> at most.</param>
    public SendChunk Rent(int size)
    {
        Debug.Assert(size <= MaxWriteBytes, "Larger writes have buffers of their own.");
        if (_current is null || _current.Room < size)
        {
            _current = _spare.TryPop(out var spare) ? spare : new SendChunk();
            _current.Open(buffers.Rent(OutputQueue.SegmentBytes));
        }

        _current.Users++;
        return _current;
    }

    /// <summary>Takes a chunk back from one of those that wrote to it.</summary>
    public void Return(SendChunk chunk)
    {
        if (--chunk.Users > 0)
        {
            return;
        }

        buffers.Return(chunk.Close());
        if (chunk == _current)
        {
            _current = null;
        }

        if (_spare.Count < MaxSpareChunks)
        {
            _spare.Push(chunk);
        }
    }
}

/// <summary>A piece of a <see cref="SendArena"/>: a pooled array that stays where it is while bytes wait in it.</summary>
internal sealed unsafe class SendChunk
{
    private byte[] _buffer = [];
    private byte* _memory;
    private GCHandle _pin;

    /// <summary>Gets or sets how many bytes were written.</summary>
    public int Used { get; set; }

    /// <summary>Gets or sets how many output queues have written to it and not given it back.</summary>
    public int Users { get; set; }

    public int Room => _buffer.Length - Used;

    /// <summary>Gets where the next byte is written.</summary>
    public byte* End => _memory + Used;

    public void Open(byte[] buffer)
    {
        _buffer = buffer;
        _pin = GCHandle.Alloc(buffer, GCHandleType.Pinned);
        _memory = (byte*)_pin.AddrOfPinnedObject();
    }

    /// <summary>Lets go of the memory.</summary>
    public byte[] Close()
    {
        byte[] buffer = _buffer;
        _pin.Free();
        _buffer = [];
        _memory = null;
        Used = 0;
        return buffer;
    }
}
