using System.Buffers;

namespace Shockwave.Engine;

/// <summary>
/// The arrays that one owner has put by, in front of a pool: no lock, and no look-up of what belongs to the thread. On the owner only.
/// </summary>
/// <remarks>What it is given may come from the pool by another way, and what it lends may go back to the pool by another way.</remarks>
internal sealed class OwnerBuffers : ArrayPool<byte>
{
    // Of each class as many as have MaxBytes together, but no more than MaxBuffers.
    private const int MaxBuffers = 64;
    private const int MaxBytes = 256 * 1024;

    private readonly BufferPool _pool;
    private readonly Slot[][] _stacks;
    private readonly int[] _counts = new int[SizeClass.Count];

    public OwnerBuffers(BufferPool pool)
    {
        _pool = pool;
        _stacks = [.. Enumerable.Range(0, SizeClass.Count).Select(sizeClass => new Slot[Math.Min(MaxBuffers, MaxBytes / SizeClass.BytesOf(sizeClass))])];
    }

    /// <inheritdoc />
    public override byte[] Rent(int minimumLength)
    {
        int[] counts = _counts;
        int sizeClass = SizeClass.Of(minimumLength);
        if ((uint)sizeClass < (uint)counts.Length && counts[sizeClass] is > 0 and var count)
        {
            counts[sizeClass] = --count;
            ref var slot = ref _stacks[sizeClass][count];
            byte[] buffer = slot.Buffer!;
            slot.Buffer = null;
            return buffer;
        }

        return _pool.Rent(minimumLength);
    }

    /// <inheritdoc />
    public override void Return(byte[] array, bool clearArray = false)
    {
        if (!clearArray && SizeClass.TryGet(array.Length, out int sizeClass))
        {
            var stack = _stacks[sizeClass];
            int count = _counts[sizeClass];
            if ((uint)count < (uint)stack.Length)
            {
                stack[count].Buffer = array;
                _counts[sizeClass] = count + 1;
                return;
            }
        }

        _pool.Return(array, clearArray);
    }

    // In a structure of its own an array is stored without a look at its type.
    private struct Slot
    {
        public byte[]? Buffer;
    }
}
