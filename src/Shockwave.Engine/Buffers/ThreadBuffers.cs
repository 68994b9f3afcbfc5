using System.Runtime.CompilerServices;

namespace Shockwave.Engine;

/// <summary>What one thread has put by: the array of each class up to 64 KiB that it returned last. Without a lock, and gone with the thread.</summary>
/// <remarks>Nobody trims it, so longer ones are not put by: a pool of a hundred threads would keep 200 MiB.</remarks>
internal sealed class ThreadBuffers
{
    /// <summary>The number of classes, from the shortest on.</summary>
    public const int ClassCount = 5;

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

    [InlineArray(ClassCount)]
    private struct Slots
    {
        private byte[]? _first;
    }
}
