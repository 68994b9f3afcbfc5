using Shockwave.Engine;

namespace Shockwave.Testing;

internal sealed unsafe partial class FakeKernel
{
    private readonly List<FakeRing> _rings = [];

    /// <inheritdoc />
    public override int RingCreate(uint entries, RingParameters* parameters)
    {
        lock (Sync)
        {
            if (Begin(KernelCall.RingCreate) is var failure and not 0)
            {
                return -failure;
            }

            var ring = new FakeRing(this, entries, parameters);
            _rings.Add(ring);
            return Open(ring);
        }
    }

    /// <inheritdoc />
    public override int RingEnter(int ring, uint submitCount, uint minCompletions, uint flags, int timeoutMilliseconds)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.RingEnter);
            var instance = Get<FakeRing>(ring);
            if (failure != 0)
            {
                return -failure;
            }

            int taken = instance.Enter(submitCount);
            while (minCompletions > 0 && !instance.HasCompletions)
            {
                if (timeoutMilliseconds >= 0)
                {
                    TimedOutWaits.Add(timeoutMilliseconds);
                    return taken > 0 ? taken : -ETIME;
                }

                if (!WaitForSomething())
                {
                    // Interrupted: what was taken is not forgotten.
                    return taken > 0 ? taken : -EINTR;
                }

                instance.TryWoken();
            }

            return taken;
        }
    }

    /// <inheritdoc />
    public override int RingRegister(int ring, uint operation, void* argument, uint count)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.RingRegister);
            var instance = Get<FakeRing>(ring);
            if (operation != RingBufferRegistration.Operation)
            {
                throw Misused($"io_uring_register {operation} is not known.");
            }

            if (failure == 0)
            {
                instance.Register((RingBufferRegistration*)argument);
            }

            return -failure;
        }
    }

    /// <inheritdoc />
    public override void* RingMap(int ring, nuint length, long offset)
    {
        lock (Sync)
        {
            return Begin(KernelCall.RingMap) is var failure and not 0 ? null : Get<FakeRing>(ring).Map(length, offset);
        }
    }

    /// <inheritdoc />
    public override int RingUnmap(void* memory, nuint length)
    {
        lock (Sync)
        {
            Begin(KernelCall.RingUnmap);
            foreach (var ring in _rings)
            {
                if (ring.TryUnmap(memory))
                {
                    return 0;
                }
            }

            throw Misused("What is unmapped is not mapped.");
        }
    }
}
