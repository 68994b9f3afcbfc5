using System.Runtime.CompilerServices;
using Shockwave.Engine;

namespace Shockwave.Testing;

/// <summary>An epoll instance.</summary>
/// <remarks>
/// As in Linux: whatever happens to a file puts its entry on the ready list, and only a wait looks at what the file is ready for then. So an
/// edge-triggered entry is reported once for what happened before the wait, with everything that is true at the wait, and not again
/// until something happens. A level-triggered one stays on the list while it is ready.
/// </remarks>
internal sealed unsafe class FakeEpoll(FakeKernel kernel) : FakeFile
{
    private const uint Always = EpollEvent.ERR | EpollEvent.HUP;
    private const uint HangUp = Always | EpollEvent.RDHUP | EpollEvent.IN;

    private readonly List<Entry> _ready = [];
    private readonly List<Entry> _again = [];

    public bool HasReady => _ready.Count > 0;

    public void Add(FakeFile file, uint events)
    {
        var entry = new Entry(this, file, events);
        file.Waiter = entry;
        entry.LookNow();
    }

    /// <summary>Gets whether the file is in this instance.</summary>
    public bool Has(FakeFile file) => file.Waiter is Entry entry && entry.Epoll == this;

    public static void Change(FakeFile file, uint events)
    {
        var entry = (Entry)file.Waiter!;
        entry.Events = events;
        entry.LookNow();
    }

    public static void Remove(FakeFile file) => file.Waiter!.OnFileClosed();

    /// <summary>Writes the events of the entries that are ready.</summary>
    public int Collect(EpollEvent* events, int maxEvents)
    {
        int count = 0, seen = 0;
        Shuffle();
        maxEvents = kernel.LimitEvents(maxEvents);
        while (seen < _ready.Count && count < maxEvents)
        {
            var entry = _ready[seen++];
            entry.IsReady = false;
            if (entry.Take() is var found and not 0)
            {
                var target = (EpollEvent*)((byte*)events + (count++ * EpollEvent.Size));
                // Not more than the kernel writes: the last event of the array ends where its memory does.
                var copy = new EpollEvent { Events = found, Descriptor = entry.Descriptor };
                Unsafe.CopyBlockUnaligned(target, &copy, (uint)EpollEvent.Size);
            }
        }

        _ready.RemoveRange(0, seen);
        foreach (var entry in _again)
        {
            entry.Queue();
        }

        _again.Clear();
        return count;
    }

    /// <inheritdoc />
    public override uint Poll() => HasReady ? EpollEvent.IN : 0;

    /// <inheritdoc />
    public override void OnClosed() => _ready.Clear();

    private void Shuffle()
    {
        for (int i = _ready.Count - 1; i > 0 && kernel.Faults.IsShuffled; i--)
        {
            int other = kernel.Dice.Below(i + 1);
            (_ready[i], _ready[other]) = (_ready[other], _ready[i]);
        }
    }

    private sealed class Entry(FakeEpoll epoll, FakeFile file, uint events) : IFakeWaiter
    {
        private uint _heldBack;
        private uint _madeUp;
        private bool _isRemoved;

        public FakeEpoll Epoll => epoll;

        public int Descriptor { get; } = file.Number;

        public uint Events { get; set; } = events;

        public bool IsReady { get; set; }

        public void LookNow()
        {
            if ((file.Poll() & (Events | Always)) != 0)
            {
                Queue();
            }
        }

        public void OnWake(uint happened)
        {
            if ((happened & (Events | Always)) != 0)
            {
                Queue();
            }
        }

        public bool OnFileClosed()
        {
            _isRemoved = true;
            file.Waiter = null;
            return true;
        }

        public void Queue()
        {
            if (!IsReady && !_isRemoved)
            {
                IsReady = true;
                epoll._ready.Add(this);
                epoll.Wake(EpollEvent.IN);
                epoll.Kernel.OnReady();
            }
        }

        // What a wait reports; 0 when there is nothing by now.
        public uint Take()
        {
            if (_isRemoved)
            {
                return 0;
            }

            uint found = (file.Poll() & (Events | Always)) | _madeUp;
            _madeUp = 0;
            if (found == 0)
            {
                return 0;
            }

            if ((Events & EpollEvent.ET) == 0)
            {
                epoll._again.Add(this);
                return found;
            }

            return Distort(found);
        }

        // Harsher than Linux, and still true: what says that the peer has gone may come in pieces and in any order; and an event may come
        // once more for nothing.
        private uint Distort(uint found)
        {
            var dice = epoll.Kernel.Dice;
            if (_heldBack == 0 && dice.OneIn(epoll.Kernel.Faults.HangUpInPieces) && (found & (HangUp & ~EpollEvent.IN)) != 0)
            {
                _heldBack = found & HangUp & (uint)dice.Below(int.MaxValue);
                if ((found & ~_heldBack) != 0)
                {
                    epoll._again.Add(this);
                    return found & ~_heldBack;
                }
            }

            _heldBack = 0;
            if (dice.OneIn(epoll.Kernel.Faults.Spurious))
            {
                _madeUp = Events & (EpollEvent.IN | EpollEvent.OUT);
                epoll._again.Add(this);
            }

            return found;
        }
    }

    private FakeKernel Kernel => kernel;
}
