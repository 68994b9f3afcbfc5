using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>The memory that all connections of an io_uring loop receive into. The kernel picks the place; each piece is used once, then given back.</summary>
/// <remarks>
/// Incremental: the kernel fills a buffer piece by piece, so that small messages lie side by side and few large buffers serve many
/// connections. A buffer goes back to the kernel when it has filled it and everything in it was handled; completions come in the order
/// of the pieces, so that is when its last piece was.
/// </remarks>
internal sealed unsafe class ReceiveBuffers : IDisposable
{
    public const ushort Group = 1;

    private readonly int _bufferBytes;
    private readonly byte* _memory;
    private readonly RingBuffer* _ring;
    private readonly int[] _offsets;
    private readonly uint _mask;
    private ushort _tail;

    public ReceiveBuffers(Ring ring, int bufferCount, int bufferBytes)
    {
        _bufferBytes = bufferBytes;
        _mask = (uint)bufferCount - 1;
        _offsets = new int[bufferCount];
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bufferCount * (nuint)bufferBytes, 4096);
        _ring = (RingBuffer*)NativeMemory.AlignedAlloc((nuint)bufferCount * (nuint)sizeof(RingBuffer), 4096);
        NativeMemory.Clear(_ring, (nuint)bufferCount * (nuint)sizeof(RingBuffer));
        try
        {
            ring.Register(new RingBufferRegistration { Ring = _ring, Entries = (uint)bufferCount, Group = Group, Flags = RingBufferRegistration.Incremental });
        }
        catch
        {
            Dispose();
            throw;
        }

        for (int i = 0; i < bufferCount; i++)
        {
            Add(i);
        }
    }

    /// <summary>Gets the bytes of a completed receive.</summary>
    public Span<byte> Get(in RingCompletion completion) =>
        new(_memory + ((long)completion.Buffer * _bufferBytes) + _offsets[completion.Buffer], completion.Result);

    /// <summary>Says that these bytes are done with.</summary>
    public void Release(in RingCompletion completion)
    {
        int buffer = completion.Buffer;
        if (completion.KeepsBuffer)
        {
            _offsets[buffer] += completion.Result;
            return;
        }

        _offsets[buffer] = 0;
        Add(buffer);
    }

    /// <summary>Frees the memory. Not before the ring is closed.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_ring);
        NativeMemory.AlignedFree(_memory);
    }

    private void Add(int buffer)
    {
        // The tail lies in the first entry, so that entry is written field by field.
        ref var entry = ref _ring[_tail & _mask];
        entry.Address = _memory + ((long)buffer * _bufferBytes);
        entry.Length = (uint)_bufferBytes;
        entry.Id = (ushort)buffer;
        _tail++;
        Volatile.Write(ref _ring[0].Tail, _tail);
    }
}
