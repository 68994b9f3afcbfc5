using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Shockwave.Engine;

namespace Shockwave;

/// <summary>
/// Lends byte arrays of 256 B, 1 KiB, 4 KiB, 16 KiB, 64 KiB and twice as much each up to 1 MiB: what WebSocket messages and sockets need.
/// </summary>
/// <remarks>
/// <para>
/// Any thread may rent and return; an array may be returned by another thread than rented it. It belongs to the renter until it is returned,
/// and to nobody else meanwhile. Arrays lie on the pinned heap, so a kernel can use them without a further pin, and are not cleared.
/// </para>
/// <para>
/// What is kept is bounded for each class, and becomes less when it lies unused from one collection of the oldest generation to the next, and
/// when memory is short. Whatever is longer than 1 MiB is allocated for the occasion and not kept.
/// </para>
/// <para>
/// With <see cref="BufferPoolDiagnostics"/>, on in debug builds, a returned array is poisoned, one that is returned twice or written to
/// afterwards throws, and one that is never returned is reported with the stack that rented it.
/// </para>
/// </remarks>
public sealed class BufferPool : ArrayPool<byte>
{
    /// <summary>The length of the longest arrays that are kept.</summary>
    public const int MaxBufferBytes = SizeClass.MaxBytes;

    [ThreadStatic]
    private static ThreadBuffers? _ofThisThread;

    private readonly BufferStore[] _stores;
    private readonly BufferPoolDiagnostics? _diagnostics;
    private readonly bool _isShared;
    private long _allocated;
    private long _oversized;

    /// <summary>Creates a pool of its own, for tests and for work whose memory is to be counted apart.</summary>
    /// <param name="diagnostics">Finds misuse, at a cost; <see langword="null"/> for none.</param>
    public BufferPool(BufferPoolDiagnostics? diagnostics = null)
        : this(diagnostics, isShared: false)
    {
    }

    private BufferPool(BufferPoolDiagnostics? diagnostics, bool isShared)
    {
        _diagnostics = diagnostics;
        _isShared = isShared && diagnostics is null;
        _stores = [.. Enumerable.Range(0, SizeClass.Count).Select(sizeClass => new BufferStore(SizeClass.BytesOf(sizeClass)))];
        CollectionCallback.Register(this, static pool => pool.Trim());
    }

    /// <summary>Gets the pool that Shockwave itself uses.</summary>
    public static new BufferPool Shared { get; } = new(BufferPoolDiagnostics.Default, isShared: true);

    /// <summary>Gets a pool for one owner in front of this one; this one itself where misuse is to be found.</summary>
    internal ArrayPool<byte> ForOwner() => _diagnostics is null ? new OwnerBuffers(this) : this;

    /// <inheritdoc />
    /// <returns>An array of at least this length; its content is undefined. Return it with <see cref="Return"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    public override byte[] Rent(int minimumLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimumLength);
        int sizeClass = SizeClass.Of(minimumLength);
        if (_isShared && (uint)sizeClass < ThreadBuffers.ClassCount && _ofThisThread is { } mine && mine.TryTake(sizeClass) is { } buffer)
        {
            return buffer;
        }

        return RentSlow(minimumLength, sizeClass);
    }

    /// <summary>Rents an array that is exactly as long, for an interface that takes no length.</summary>
    /// <param name="length">In bytes.</param>
    /// <param name="buffer">The array, to be given back with <see cref="Return"/>.</param>
    /// <returns>Whether the pool has arrays of this length: one of its classes.</returns>
    public bool TryRentExact(int length, [NotNullWhen(true)] out byte[]? buffer)
    {
        buffer = length > 0 && SizeClass.TryGet(length, out _) ? Rent(length) : null;
        return buffer is not null;
    }

    /// <inheritdoc />
    /// <exception cref="ArgumentNullException">There is no array.</exception>
    /// <exception cref="InvalidOperationException">With diagnostics: it is not lent by this pool, or was returned before.</exception>
    public override void Return(byte[] array, bool clearArray = false)
    {
        ArgumentNullException.ThrowIfNull(array);
        if (clearArray)
        {
            array.AsSpan().Clear();
        }

        _diagnostics?.OnReturned(array);

        // Of another length it is not one of ours, or it was too long to be kept.
        if (!SizeClass.TryGet(array.Length, out int sizeClass))
        {
            return;
        }

        if (_isShared && sizeClass < ThreadBuffers.ClassCount)
        {
            // The one that came last is likely to be in this core's cache; the one before it makes room.
            var mine = _ofThisThread ?? BeginThread();
            if (mine.Replace(sizeClass, array) is not { } displaced)
            {
                return;
            }

            array = displaced;
        }

        _stores[sizeClass].TryAdd(array);
    }

    /// <summary>Gives back to the collector what is kept and not lent. It happens by itself when memory is short.</summary>
    public void Clear()
    {
        foreach (var store in _stores)
        {
            store.Clear();
        }
    }

    /// <summary>Counts at about this instant.</summary>
    /// <returns>What is kept, and how much had to be allocated.</returns>
    public BufferPoolStatistics GetStatistics() => new()
    {
        AllocatedBuffers = Interlocked.Read(ref _allocated),
        OversizedBuffers = Interlocked.Read(ref _oversized),
        DroppedBuffers = _stores.Sum(store => store.Dropped),
        KeptBuffers = _stores.Sum(store => store.Count),
        KeptBytes = _stores.Sum(store => (long)store.Count * store.BufferBytes),
        LentBuffers = _diagnostics?.LentCount,
    };

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte[] RentSlow(int minimumLength, int sizeClass)
    {
        byte[] buffer;
        if ((uint)sizeClass >= SizeClass.Count)
        {
            Interlocked.Increment(ref _oversized);
            buffer = GC.AllocateUninitializedArray<byte>(minimumLength, pinned: true);
        }
        else if (_stores[sizeClass].TryTake() is { } kept)
        {
            buffer = kept;
        }
        else
        {
            Interlocked.Increment(ref _allocated);
            buffer = GC.AllocateUninitializedArray<byte>(SizeClass.BytesOf(sizeClass), pinned: true);
        }

        _diagnostics?.OnRented(buffer);
        return buffer;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ThreadBuffers BeginThread() => _ofThisThread = new ThreadBuffers();

    // After a collection of the oldest generation.
    private void Trim()
    {
        var memory = GC.GetGCMemoryInfo();
        bool isShort = memory.MemoryLoadBytes >= memory.HighMemoryLoadThresholdBytes * 9 / 10;
        foreach (var store in _stores)
        {
            store.Trim(toNothing: isShort);
        }
    }
}
