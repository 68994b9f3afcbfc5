namespace Shockwave.Engine;

/// <summary>An io_uring: requests go in, completions come out, both through memory shared with the kernel.</summary>
/// <remarks>
/// Used by the thread that created it only (SINGLE_ISSUER). With DEFER_TASKRUN the kernel does its work for the ring inside
/// <see cref="Enter"/> and at no other time, so completions appear there in batches.
/// </remarks>
internal sealed unsafe class Ring : IDisposable
{
    private const uint CompletionSize = 1 << 3;
    private const uint SubmitAll = 1 << 7;
    private const uint SingleIssuer = 1 << 12;
    private const uint DeferTaskRun = 1 << 13;
    private const uint GetEvents = 1;
    private const uint SingleMap = 1;
    private const long RequestsOffset = 0x10000000;

    private readonly SystemCalls _system;
    private readonly int _ring;
    private readonly byte* _queues;
    private readonly nuint _queuesLength;
    private readonly RingRequest* _requests;
    private readonly nuint _requestsLength;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint _submissionMask;
    private readonly uint _submissionEntries;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly RingCompletion* _completions;
    private uint _tail;
    private uint _submitted;

    /// <summary>Creates a ring.</summary>
    /// <exception cref="EngineException">The kernel has none, is too old, or does not allow it.</exception>
    public Ring(SystemCalls system, uint requests, uint completions)
    {
        _system = system;
        var parameters = new RingParameters
        {
            CompletionEntries = completions,
            Flags = CompletionSize | SubmitAll | SingleIssuer | DeferTaskRun,
        };
        _ring = EngineException.Check(system.RingCreate(requests, &parameters), "io_uring_setup");
        ref var submission = ref parameters.Submission;
        ref var completion = ref parameters.Completion;
        _queuesLength = Math.Max(
            submission.Seventh + (parameters.SubmissionEntries * sizeof(uint)),
            completion.Sixth + (parameters.CompletionEntries * (uint)sizeof(RingCompletion)));
        _requestsLength = parameters.SubmissionEntries * (uint)sizeof(RingRequest);
        _queues = (parameters.Features & SingleMap) != 0 ? (byte*)system.RingMap(_ring, _queuesLength, 0) : null;
        _requests = (RingRequest*)system.RingMap(_ring, _requestsLength, RequestsOffset);
        if (_queues is null || _requests is null)
        {
            Dispose();
            throw new EngineException("mmap of io_uring", Errno.ENOMEM);
        }

        _submissionHead = (uint*)(_queues + submission.Head);
        _submissionTail = (uint*)(_queues + submission.Tail);
        _submissionMask = *(uint*)(_queues + submission.Mask);
        _submissionEntries = parameters.SubmissionEntries;
        _completionHead = (uint*)(_queues + completion.Head);
        _completionTail = (uint*)(_queues + completion.Tail);
        _completionMask = *(uint*)(_queues + completion.Mask);
        _completions = (RingCompletion*)(_queues + completion.Sixth);
        _tail = _submitted = *_submissionTail;

        // Requests are used in order: the array that could reorder them says so once and for all.
        uint* array = (uint*)(_queues + submission.Seventh);
        for (uint i = 0; i < _submissionEntries; i++)
        {
            array[i] = i;
        }
    }

    /// <summary>Gets how many completions are waiting.</summary>
    public uint CompletionCount => Volatile.Read(ref *_completionTail) - *_completionHead;

    /// <summary>Gets whether the kernel has taken every request.</summary>
    public bool IsSubmitted => _submitted == _tail;

    /// <summary>Gets an empty request, which leaves with the next <see cref="Enter"/>.</summary>
    public ref RingRequest Next()
    {
        // Again, when the kernel had no memory for any: a request that is overwritten never ends, and its connection neither.
        while (_tail - Volatile.Read(ref *_submissionHead) == _submissionEntries)
        {
            Enter(timeoutMilliseconds: 0);
        }

        ref var request = ref _requests[_tail++ & _submissionMask];
        request = default;
        return ref request;
    }

    /// <summary>Submits all requests, lets the kernel complete what it can, and waits for a completion if asked to and there is none.</summary>
    /// <param name="timeoutMilliseconds">How long to wait: 0 not at all, -1 for as long as it takes.</param>
    public void Enter(int timeoutMilliseconds)
    {
        Volatile.Write(ref *_submissionTail, _tail);
        int submitted = _system.RingEnter(_ring, _tail - _submitted, timeoutMilliseconds != 0 ? 1u : 0u, GetEvents, timeoutMilliseconds == 0 ? -1 : timeoutMilliseconds);

        // Interrupted, or out of memory for the moment: what was not taken is offered again with the next call.
        if (submitted > 0)
        {
            _submitted += (uint)submitted;
        }
    }

    /// <summary>Takes the next completion.</summary>
    public bool TryTake(out RingCompletion completion)
    {
        uint head = *_completionHead;
        if (head == Volatile.Read(ref *_completionTail))
        {
            completion = default;
            return false;
        }

        completion = _completions[head & _completionMask];
        Volatile.Write(ref *_completionHead, head + 1);
        return true;
    }

    /// <summary>Looks at whom a later completion is for, without taking it.</summary>
    /// <param name="ahead">0 for the next one. Fewer than <see cref="CompletionCount"/>.</param>
    public ulong PeekUserData(uint ahead) => _completions[(*_completionHead + ahead) & _completionMask].UserData;

    /// <summary>Gives the kernel a ring of buffers to receive into.</summary>
    /// <exception cref="EngineException">The kernel is older than 6.12.</exception>
    public void Register(RingBufferRegistration registration) =>
        EngineException.Check(_system.RingRegister(_ring, RingBufferRegistration.Operation, &registration, 1), "io_uring_register");

    public void Dispose()
    {
        if (_queues is not null)
        {
            _system.RingUnmap(_queues, _queuesLength);
        }

        if (_requests is not null)
        {
            _system.RingUnmap(_requests, _requestsLength);
        }

        _system.Close(_ring);
    }
}
