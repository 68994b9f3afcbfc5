using System.Buffers;

namespace Shockwave.Testing;

/// <summary>A pool that knows what it lent. Its arrays are full of a poison when lent and when returned, so that nobody lives on old bytes.</summary>
public sealed class TrackingArrayPool : ArrayPool<byte>
{
    /// <summary>What a lent array is filled with.</summary>
    public const byte LentPoison = 0xDD;

    /// <summary>What a returned array is filled with.</summary>
    public const byte ReturnedPoison = 0xEE;

    private readonly Dictionary<byte[], bool> _isLent = new(ReferenceEqualityComparer.Instance);

    /// <summary>Gets how many arrays are lent and not returned.</summary>
    public int LentCount { get; private set; }

    /// <summary>Gets how many bytes are lent and not returned.</summary>
    public long LentBytes { get; private set; }

    /// <summary>Gets the most bytes that were lent at once.</summary>
    public long MostLentBytes { get; private set; }

    /// <summary>Gets how often an array was lent.</summary>
    public int RentCount { get; private set; }

    /// <inheritdoc />
    public override byte[] Rent(int minimumLength)
    {
        // Sizes as the shared pool has them, and always a new array: a stale reference never sees another's bytes by luck.
        byte[] array = new byte[Math.Max(16, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)minimumLength))];
        array.AsSpan().Fill(LentPoison);
        _isLent.Add(array, true);
        RentCount++;
        LentCount++;
        LentBytes += array.Length;
        MostLentBytes = Math.Max(MostLentBytes, LentBytes);
        return array;
    }

    /// <inheritdoc />
    public override void Return(byte[] array, bool clearArray = false)
    {
        ArgumentNullException.ThrowIfNull(array);
        if (!_isLent.TryGetValue(array, out bool isLent))
        {
            throw new InvalidOperationException("The array is not from this pool.");
        }

        if (!isLent)
        {
            throw new InvalidOperationException("The array was returned before.");
        }

        _isLent[array] = false;
        array.AsSpan().Fill(ReturnedPoison);
        LentCount--;
        LentBytes -= array.Length;
    }

    /// <summary>Fails when an array is missing, or when one was written to after it was returned.</summary>
    public void AssertBalanced()
    {
        if (LentCount != 0)
        {
            throw new InvalidOperationException($"{LentCount} arrays of {LentBytes} bytes were not returned.");
        }

        foreach (byte[] array in _isLent.Keys)
        {
            if (array.AsSpan().ContainsAnyExcept(ReturnedPoison))
            {
                throw new InvalidOperationException("An array was written to after it was returned.");
            }
        }
    }
}
