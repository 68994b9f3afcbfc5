namespace Shockwave.Engine;

/// <summary>The arrays of one length that a pool keeps, those of each processor apart: a stack with a lock for each.</summary>
internal sealed class BufferStore
{
    // What each processor may keep of one class: 64 of the smallest, 4 of the largest.
    private const int MaxKeptBytes = 4 * 1024 * 1024;
    private const int MaxKeptBuffers = 64;
    private const int MaxStacks = 16;

    private static readonly int _stackCount = Math.Min(Environment.ProcessorCount, MaxStacks);

    private readonly BufferStack[] _stacks;
    private long _dropped;

    public BufferStore(int bufferBytes)
    {
        BufferBytes = bufferBytes;
        int capacity = Math.Min(MaxKeptBuffers, MaxKeptBytes / bufferBytes);
        _stacks = [.. Enumerable.Range(0, _stackCount).Select(_ => new BufferStack(capacity))];
    }

    public int BufferBytes { get; }

    /// <summary>Gets how many arrays are kept, at about this instant.</summary>
    public int Count => _stacks.Sum(stack => stack.Count);

    /// <summary>Gets how many arrays were returned and not kept.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Takes an array, of this processor's if there is one, otherwise of another's.</summary>
    public byte[]? TryTake()
    {
        int first = Thread.GetCurrentProcessorId() % _stacks.Length;
        for (int i = 0; i < _stacks.Length; i++)
        {
            int index = first + i;
            if (_stacks[index < _stacks.Length ? index : index - _stacks.Length].TryPop() is { } buffer)
            {
                return buffer;
            }
        }

        return null;
    }

    /// <summary>Keeps an array if there is room; otherwise the collector has it.</summary>
    public void TryAdd(byte[] buffer)
    {
        int first = Thread.GetCurrentProcessorId() % _stacks.Length;
        for (int i = 0; i < _stacks.Length; i++)
        {
            int index = first + i;
            if (_stacks[index < _stacks.Length ? index : index - _stacks.Length].TryPush(buffer))
            {
                return;
            }
        }

        Interlocked.Increment(ref _dropped);
    }

    /// <summary>Lets go of what nobody asked for since the last time.</summary>
    /// <param name="toNothing">Whether to let go of everything.</param>
    public void Trim(bool toNothing)
    {
        foreach (var stack in _stacks)
        {
            stack.Trim(toNothing);
        }
    }

    public void Clear() => Trim(toNothing: true);
}
