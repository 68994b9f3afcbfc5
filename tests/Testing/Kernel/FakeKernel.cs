using System.Diagnostics;
using Shockwave.Engine;

namespace Shockwave.Testing;

/// <summary>A kernel that a test scripts: descriptors, sockets and epoll as Linux has them, peers as the test wants them.</summary>
/// <remarks>
/// By itself it does what Linux does and nothing at random; <see cref="Fail"/> makes the next call fail, <see cref="Faults"/> lets things
/// happen by chance. What no program may do (a closed descriptor used or closed again, one of another kind, an epoll entry that is
/// not there) throws and is kept for <see cref="AssertClean"/>, because a loop survives what is thrown inside a callback.
/// Calls may come from any thread, as in life; a wait blocks only when <see cref="IsBlocking"/>, otherwise it is counted and interrupted.
/// </remarks>
internal sealed partial class FakeKernel(int seed = 0) : SystemCalls
{
    private const int EINTR = 4;
    private const int EAGAIN = 11;
    private const int EMFILE = 24;
    private const int ETIME = 62;

    private readonly int[] _counts = new int[Enum.GetValues<KernelCall>().Length];
    private readonly List<(KernelCall Call, int Errno)> _failures = [];
    private FakeFile?[] _files = new FakeFile?[64];
    private int _lowestFree = 3;
    private bool _isMeanwhile;
    private string? _misuse;

    /// <summary>Gets the lock that everything happens under.</summary>
    public object Sync { get; } = new();

    /// <summary>Gets the chance that <see cref="Faults"/> are decided by.</summary>
    public Dice Dice { get; } = new(seed);

    /// <summary>Gets or sets what happens by chance.</summary>
    public FakeFaults Faults { get; set; } = FakeFaults.None;

    /// <summary>Gets or sets what may happen in the network while a call runs.</summary>
    public Action? Meanwhile { get; set; }

    /// <summary>Gets or sets how many descriptors the process may have.</summary>
    public int DescriptorLimit { get; set; } = int.MaxValue;

    /// <summary>Gets the number of open descriptors.</summary>
    public int OpenCount { get; private set; }

    /// <summary>Gets how many milliseconds those waits were to take at most that ended without anything.</summary>
    public List<int> TimedOutWaits { get; } = [];

    /// <summary>Gets the number of calls so far.</summary>
    public int CallCount { get; private set; }

    /// <summary>Gets the number of one call so far.</summary>
    public int CountOf(KernelCall call) => _counts[(int)call];

    /// <summary>Lets descriptors begin here, as in a process that has many.</summary>
    public void BeginDescriptorsAt(int first) => _lowestFree = first;

    /// <summary>Makes the next call of a kind fail, once for each error given.</summary>
    public void Fail(KernelCall call, params ReadOnlySpan<int> errnos)
    {
        lock (Sync)
        {
            foreach (int errno in errnos)
            {
                _failures.Add((call, errno));
            }
        }
    }

    /// <summary>Fails when the program did something that no program may do, or left descriptors open.</summary>
    public void AssertClean()
    {
        AssertNoMisuse();
        if (OpenCount != 0)
        {
            string open = string.Join(", ", _files.Where(file => file is not null).Select(file => $"{file!.Number} {file.GetType().Name}"));
            throw new InvalidOperationException($"{OpenCount} descriptors are open: {open}");
        }
    }

    public void AssertNoMisuse()
    {
        if (_misuse is not null)
        {
            throw new InvalidOperationException(_misuse);
        }
    }

    /// <inheritdoc />
    public override int Close(int descriptor)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.Close);
            var file = Get<FakeFile>(descriptor);
            _files[descriptor] = null;
            _lowestFree = Math.Min(_lowestFree, descriptor);
            OpenCount--;
            if (file.Waiter?.OnFileClosed() ?? true)
            {
                file.OnClosed();
            }

            file.Number = -1;

            // Whatever it returns, the descriptor is gone.
            return -failure;
        }
    }

    /// <inheritdoc />
    public override int EventCreate()
    {
        lock (Sync)
        {
            return Begin(KernelCall.EventCreate) is var failure and not 0 ? -failure : Open(new FakeEvent());
        }
    }

    /// <inheritdoc />
    public override int EventSignal(int descriptor)
    {
        lock (Sync)
        {
            Begin(KernelCall.EventSignal);
            Get<FakeEvent>(descriptor).Signal();
            return sizeof(ulong);
        }
    }

    /// <inheritdoc />
    public override int EventClear(int descriptor)
    {
        lock (Sync)
        {
            Begin(KernelCall.EventClear);
            return Get<FakeEvent>(descriptor).TryClear() ? sizeof(ulong) : -EAGAIN;
        }
    }

    // Counts a call and lets happen what happens around it. Returns the error that it is to fail with, or 0.
    private int Begin(KernelCall call)
    {
        CallCount++;
        _counts[(int)call]++;
        LetTimePass();
        return TakeFailure(call);
    }

    /// <summary>Gets the error that a call, or the request of a ring that does the same, fails with; 0 for none.</summary>
    public int TakeFailure(KernelCall call)
    {
        for (int i = 0; i < _failures.Count; i++)
        {
            if (_failures[i].Call == call)
            {
                int errno = _failures[i].Errno;
                _failures.RemoveAt(i);
                return errno;
            }
        }

        return call is KernelCall.Receive or KernelCall.Send or KernelCall.Accept or KernelCall.EpollWait or KernelCall.RingEnter or KernelCall.Close
            && Dice.OneIn(Faults.Interrupted) ? EINTR : 0;
    }

    /// <summary>Lets something happen in the network, by chance.</summary>
    public void LetTimePass()
    {
        if (Meanwhile is { } meanwhile && !_isMeanwhile && Dice.OneIn(Faults.Meanwhile))
        {
            _isMeanwhile = true;
            meanwhile();
            _isMeanwhile = false;
        }
    }

    // The lowest free number, as POSIX wants it: a descriptor is used again at once.
    public int Open(FakeFile file)
    {
        int number = _lowestFree;
        while (number < _files.Length && _files[number] is not null)
        {
            number++;
        }

        if (number >= DescriptorLimit)
        {
            return -EMFILE;
        }

        if (number >= _files.Length)
        {
            Array.Resize(ref _files, Math.Max(number + 1, _files.Length * 2));
        }

        _files[number] = file;
        _lowestFree = number + 1;
        OpenCount++;
        file.Number = number;
        return number;
    }

    /// <summary>Gets what a descriptor stands for; null when it is not open.</summary>
    public FakeFile? Find(int descriptor) => (uint)descriptor < (uint)_files.Length ? _files[descriptor] : null;

    /// <summary>Gets what a descriptor stands for; whoever has none of this kind misuses it.</summary>
    public T Get<T>(int descriptor)
        where T : FakeFile
    {
        var file = Find(descriptor);
        return file switch
        {
            T right => right,
            null => throw Misused($"Descriptor {descriptor} is not open."),
            _ => throw Misused($"Descriptor {descriptor} is a {file.GetType().Name}, not a {typeof(T).Name}."),
        };
    }

    public InvalidOperationException Misused(string what)
    {
        _misuse ??= $"{what}\n{new StackTrace(1)}";
        return new InvalidOperationException(what);
    }
}
