using System.Buffers;
using System.Numerics;

namespace Shockwave.Testing;

/// <summary>
/// As <see cref="TrackingArrayPool"/>, for a million runs: it lends its arrays again, the longest returned first, after it has looked
/// whether anybody wrote to them meanwhile. One thread.
/// </summary>
public sealed class PoisonedArrayPool : ArrayPool<byte>
{
    private readonly Queue<byte[]>[] _free = [.. Enumerable.Range(0, 32).Select(_ => new Queue<byte[]>())];
    private readonly HashSet<byte[]> _lent = new(ReferenceEqualityComparer.Instance);

    /// <summary>Gets how many arrays are lent and not returned.</summary>
    public int LentCount => _lent.Count;

    /// <summary>Gets how many bytes are lent and not returned.</summary>
    public long LentBytes { get; private set; }

    /// <inheritdoc />
    public override byte[] Rent(int minimumLength)
    {
        int size = Math.Max(16, (int)BitOperations.RoundUpToPowerOf2((uint)minimumLength));
        var free = _free[BitOperations.Log2((uint)size)];
        byte[] array;

        // Some always rest, so that an array is not lent again just when somebody writes to it a little too late.
        if (free.Count > 4)
        {
            array = free.Dequeue();
            Check(array);
        }
        else
        {
            array = new byte[size];
        }

        array.AsSpan().Fill(TrackingArrayPool.LentPoison);
        _lent.Add(array);
        LentBytes += size;
        return array;
    }

    /// <inheritdoc />
    public override void Return(byte[] array, bool clearArray = false)
    {
        ArgumentNullException.ThrowIfNull(array);
        if (!_lent.Remove(array))
        {
            throw new InvalidOperationException("The array is not lent: returned twice, or not from this pool.");
        }

        array.AsSpan().Fill(TrackingArrayPool.ReturnedPoison);
        _free[BitOperations.Log2((uint)array.Length)].Enqueue(array);
        LentBytes -= array.Length;
    }

    /// <summary>Fails when an array is missing, or when one was written to after it was returned.</summary>
    public void AssertBalanced()
    {
        if (LentCount != 0)
        {
            throw new InvalidOperationException($"{LentCount} arrays of {LentBytes} bytes were not returned.");
        }

        foreach (byte[] array in _free.SelectMany(free => free))
        {
            Check(array);
        }
    }

    private static void Check(byte[] array)
    {
        if (array.AsSpan().ContainsAnyExcept(TrackingArrayPool.ReturnedPoison))
        {
            throw new InvalidOperationException("An array was written to after it was returned.");
        }
    }
}
