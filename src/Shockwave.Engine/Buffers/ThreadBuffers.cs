using System.Runtime.CompilerServices;

namespace Shockwave.Engine;

/// <summary>What one thread has put by: the array of each class that it returned last. Without a lock, and gone with the thread.</summary>
internal sealed class ThreadBuffers
{
    private Slots _slots;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte[]? TryTake(int sizeClass)
    {
        byte[]? buffer = _slots[sizeClass];
        _slots[sizeClass] = null;
        return buffer;
    }

    /// <summary>Puts an array by, and hands out the one that was there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte[]? Replace(int sizeClass, byte[] buffer)
    {
        byte[]? displaced = _slots[sizeClass];
        _slots[sizeClass] = buffer;
        return displaced;
    }

    [InlineArray(SizeClass.Count)]
    private struct Slots
    {
        private byte[]? _first;
    }
}
