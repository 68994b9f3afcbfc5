using Shockwave.Engine;

namespace Shockwave.Testing;

internal sealed unsafe partial class FakeKernel
{
    private bool _isBlocked;

    /// <summary>Gets or sets whether a wait blocks its thread until there is something, as in life.</summary>
    public bool IsBlocking { get; set; }

    /// <summary>Gets the number of waits that found nothing and were to block.</summary>
    public int BlockedWaits { get; private set; }

    /// <summary>Waits until the loop is blocked in its wait.</summary>
    public void WaitUntilBlocked()
    {
        lock (Sync)
        {
            while (!_isBlocked)
            {
                Monitor.Wait(Sync);
            }
        }
    }

    /// <inheritdoc />
    public override int EpollCreate()
    {
        lock (Sync)
        {
            return Begin(KernelCall.EpollCreate) is var failure and not 0 ? -failure : Open(new FakeEpoll(this));
        }
    }

    /// <inheritdoc />
    public override int EpollControl(int epoll, int operation, int descriptor, uint events)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.EpollControl);
            var instance = Get<FakeEpoll>(epoll);
            var file = Get<FakeFile>(descriptor);
            if ((operation == EpollEvent.ADD) != (file.Waiter is null) || (file.Waiter is not null && !instance.Has(file)))
            {
                throw Misused($"epoll_ctl {operation}: descriptor {descriptor} is {(file.Waiter is null ? "not in" : "in")} the instance.");
            }

            if (failure != 0)
            {
                return -failure;
            }

            switch (operation)
            {
                case EpollEvent.ADD:
                    instance.Add(file, events);
                    break;
                case EpollEvent.MOD:
                    FakeEpoll.Change(file, events);
                    break;
                default:
                    FakeEpoll.Remove(file);
                    break;
            }

            return 0;
        }
    }

    /// <inheritdoc />
    public override int EpollWait(int epoll, EpollEvent* events, int maxEvents, int timeoutMilliseconds)
    {
        lock (Sync)
        {
            if (Begin(KernelCall.EpollWait) is var failure and not 0)
            {
                return -failure;
            }

            var instance = Get<FakeEpoll>(epoll);
            while (true)
            {
                int count = instance.Collect(events, maxEvents);
                if (count > 0 || timeoutMilliseconds == 0)
                {
                    return count;
                }

                if (timeoutMilliseconds > 0)
                {
                    TimedOutWaits.Add(timeoutMilliseconds);
                    return 0;
                }

                if (!WaitForSomething())
                {
                    return -EINTR;
                }
            }
        }
    }

    /// <summary>Something that somebody waits for is ready.</summary>
    public void OnReady()
    {
        if (IsBlocking)
        {
            Monitor.PulseAll(Sync);
        }
    }

    /// <summary>Decides how many events a wait returns at most.</summary>
    public int LimitEvents(int maxEvents) => Dice.OneIn(Faults.FewerEvents) ? Dice.Between(1, Math.Min(maxEvents, 3)) : maxEvents;

    private bool WaitForSomething()
    {
        BlockedWaits++;
        if (IsBlocking)
        {
            _isBlocked = true;
            Monitor.PulseAll(Sync);
            Monitor.Wait(Sync);
            _isBlocked = false;
        }

        return IsBlocking;
    }
}
