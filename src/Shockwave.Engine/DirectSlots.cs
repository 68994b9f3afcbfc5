namespace Shockwave.Engine;

/// <summary>
/// The sockets of one owner that bytes may go to at once, past their transports: what a list of very many connections is sent is decided by
/// one number for each, side by side with the others, where the objects would each be a wait for memory. On the owner only.
/// </summary>
internal sealed class DirectSlots
{
    /// <summary>The slot of those that have none: nothing is ever sent there directly.</summary>
    public const int NoSlot = 0;

    /// <summary>Instead of a socket: something comes first, and the transport knows what.</summary>
    public const int NoSocket = -1;

    private readonly Stack<int> _free = new();
    private int[] _sockets = new int[64];
    private int _count = 1;

    public DirectSlots() => _sockets[NoSlot] = NoSocket;

    /// <summary>Gets or sets what a slot leads to.</summary>
    public int this[int slot]
    {
        get => _sockets[slot];
        set => _sockets[slot] = value;
    }

    /// <summary>Gets a slot that is nobody else's.</summary>
    public int Occupy()
    {
        if (!_free.TryPop(out int slot))
        {
            slot = _count++;
            if (slot == _sockets.Length)
            {
                Array.Resize(ref _sockets, _sockets.Length * 2);
            }
        }

        _sockets[slot] = NoSocket;
        return slot;
    }

    /// <summary>Gives a slot back. Only when no list has its number any more: the next socket that gets it would be sent what this one is to get.</summary>
    public void Vacate(int slot)
    {
        _sockets[slot] = NoSocket;
        _free.Push(slot);
    }

    /// <summary>Asks the processor for a slot that is used soon.</summary>
    public void Prefetch(int slot) => Prefetcher.Load(ref _sockets[slot]);
}
