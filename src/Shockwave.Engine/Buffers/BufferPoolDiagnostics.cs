using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Shockwave;

/// <summary>Finds misuse of a <see cref="BufferPool"/>: arrays returned twice or by strangers, used after the return, or never returned.</summary>
/// <remarks>
/// Costs a stack trace for each rent. In debug builds of Shockwave it is on; elsewhere the switch <c>Shockwave.BufferPoolDiagnostics</c>
/// (<see cref="AppContext"/>, or the project file's <c>RuntimeHostConfigurationOption</c>) turns it on for <see cref="BufferPool.Shared"/>. Any thread.
/// </remarks>
public sealed class BufferPoolDiagnostics
{
    /// <summary>What a returned array is filled with.</summary>
    public const byte Poison = 0xDD;

    private readonly ConditionalWeakTable<byte[], RentedBuffer> _lent = [];

    // So that what was written to it after its return can be seen when it is lent again; not for those that the collector took.
    private readonly ConditionalWeakTable<byte[], object> _poisoned = [];
    private int _lentCount;

    /// <summary>Occurs when an array was collected that nobody had returned; the text says where it was rented. On the finalizer's thread.</summary>
    public event Action<string>? Leaked;

    /// <summary>Gets how many arrays are lent and not collected.</summary>
    public int LentCount => Volatile.Read(ref _lentCount);

    internal static BufferPoolDiagnostics? Default { get; } = IsOn ? new BufferPoolDiagnostics() : null;

#if DEBUG
    private static bool IsOn => !AppContext.TryGetSwitch("Shockwave.BufferPoolDiagnostics", out bool isOn) || isOn;
#else
    private static bool IsOn => AppContext.TryGetSwitch("Shockwave.BufferPoolDiagnostics", out bool isOn) && isOn;
#endif

    internal void OnRented(byte[] array)
    {
        if (_poisoned.Remove(array) && array.AsSpan().ContainsAnyExcept(Poison))
        {
            throw new InvalidOperationException("A buffer was written to after it was returned to the pool.");
        }

        Interlocked.Increment(ref _lentCount);
        _lent.Add(array, new RentedBuffer(this, new StackTrace(skipFrames: 2, fNeedFileInfo: true)));
    }

    internal void OnReturned(byte[] array)
    {
        if (!_lent.TryGetValue(array, out var rented) || !_lent.Remove(array))
        {
            throw new InvalidOperationException("The buffer is not lent by this pool: it was returned before, or rented elsewhere.");
        }

        rented.Dispose();
        Interlocked.Decrement(ref _lentCount);
        array.AsSpan().Fill(Poison);
        _poisoned.AddOrUpdate(array, this);
    }

    private void OnLeaked(StackTrace stack)
    {
        Interlocked.Decrement(ref _lentCount);
        string text = $"A buffer was never returned to the pool. It was rented here:\n{stack}";
        if (Leaked is { } leaked)
        {
            leaked(text);
        }
        else
        {
            Trace.TraceWarning(text);
        }
    }

    // Lives as long as the array that it belongs to.
    private sealed class RentedBuffer(BufferPoolDiagnostics owner, StackTrace stack) : IDisposable
    {
        ~RentedBuffer() => owner.OnLeaked(stack);

        public void Dispose() => GC.SuppressFinalize(this);
    }
}
