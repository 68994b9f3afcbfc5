using System.Runtime.InteropServices;
using Shockwave.Engine;

namespace Shockwave.Testing;

/// <summary>An io_uring: its shared memory, and what is under way in it (<see cref="FakeRequest"/>).</summary>
/// <remarks>
/// As with DEFER_TASKRUN: what happens to a file wakes the requests that wait for it, and the next enter tries them again; nothing is
/// completed at any other time. A request that can be done at once is done while it is submitted.
/// </remarks>
internal sealed unsafe class FakeRing : FakeFile
{
    private const int ENOENT = 2;
    private const int EBADF = 9;
    private const int EBUSY = 16;
    private const int ECANCELED = 125;

    private const uint SubmissionHead = 0;
    private const uint SubmissionTail = 4;
    private const uint SubmissionMask = 8;
    private const uint CompletionHead = 24;
    private const uint CompletionTail = 28;
    private const uint CompletionMask = 32;
    private const uint Completions = 64;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly uint _array;
    private readonly nuint _queuesLength;
    private readonly nuint _requestsLength;
    private readonly byte* _queues;
    private readonly byte* _requests;
    private readonly Queue<RingCompletion> _overflow = new();
    private readonly List<FakeRequest> _pending = [];
    private readonly List<FakeRequest> _woken = [];
    private RingBuffer* _buffers;
    private uint _bufferMask;
    private ushort _bufferHead;
    private int _mapCount;
    private bool _isClosed;

    public FakeRing(FakeKernel kernel, uint entries, RingParameters* parameters)
    {
        Kernel = kernel;
        _array = Completions + (parameters->CompletionEntries * (uint)sizeof(RingCompletion));
        _queuesLength = _array + (entries * sizeof(uint));
        _requestsLength = entries * (nuint)sizeof(RingRequest);
        _queues = (byte*)NativeMemory.AllocZeroed(_queuesLength);
        _requests = (byte*)NativeMemory.AllocZeroed(_requestsLength);
        parameters->SubmissionEntries = entries;
        parameters->Features = 1;
        parameters->Submission = new() { Head = SubmissionHead, Tail = SubmissionTail, Mask = SubmissionMask, Seventh = _array };
        parameters->Completion = new() { Head = CompletionHead, Tail = CompletionTail, Mask = CompletionMask, Sixth = Completions };
        Field(SubmissionMask) = entries - 1;
        Field(CompletionMask) = parameters->CompletionEntries - 1;
    }

    public FakeKernel Kernel { get; }

    public bool HasCompletions => Field(CompletionTail) != Field(CompletionHead);

    /// <summary>Gets whether a buffer to receive into is there.</summary>
    public bool HasBuffer => _buffers is not null && _bufferHead != _buffers[0].Tail;

    private bool IsFull => Field(CompletionTail) - Field(CompletionHead) > Field(CompletionMask);

    public void* Map(nuint length, long offset)
    {
        if (length != (offset == 0 ? _queuesLength : _requestsLength))
        {
            throw Kernel.Misused($"{length} bytes mapped of the ring at {offset:x}.");
        }

        _mapCount++;
        return offset == 0 ? _queues : _requests;
    }

    /// <summary>Forgets a mapping; true when it was one of this ring.</summary>
    public bool TryUnmap(void* memory)
    {
        if (memory != _queues && memory != _requests)
        {
            return false;
        }

        _mapCount--;
        FreeIfUnused();
        return true;
    }

    public void Register(RingBufferRegistration* registration)
    {
        _buffers = (RingBuffer*)registration->Ring;
        _bufferMask = registration->Entries - 1;
    }

    /// <summary>Takes requests, and completes what can be completed.</summary>
    /// <returns>How many were taken.</returns>
    public int Enter(uint submitCount)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            throw Kernel.Misused("The ring belongs to another thread.");
        }

        while (_overflow.Count > 0 && !IsFull)
        {
            Write(_overflow.Dequeue());
        }

        if (_overflow.Count > 0)
        {
            return -EBUSY;
        }

        if (submitCount > 0 && Kernel.Dice.OneIn(Kernel.Faults.FewerRequests))
        {
            submitCount = (uint)Kernel.Dice.Below((int)submitCount);
        }

        uint taken = 0;
        for (; taken < submitCount && Field(SubmissionHead) != Field(SubmissionTail); taken++)
        {
            uint index = *(uint*)(_queues + _array + ((Field(SubmissionHead) & Field(SubmissionMask)) * sizeof(uint)));
            Field(SubmissionHead)++;
            Submit(((RingRequest*)_requests)[index]);
        }

        TryWoken();
        return (int)taken;
    }

    /// <summary>Tries again what was woken. What is woken by that waits for the next time.</summary>
    public void TryWoken()
    {
        int count = _woken.Count;
        for (int i = 0; i < count; i++)
        {
            int next = Kernel.Faults.IsShuffled ? i + Kernel.Dice.Below(count - i) : i;
            var request = _woken[next];
            _woken[next] = _woken[i];
            request.IsWoken = false;
            if (request.IsPending)
            {
                request.Try();
            }
        }

        _woken.RemoveRange(0, count);
    }

    /// <summary>Lets a request be tried again.</summary>
    public void Wake(FakeRequest request)
    {
        if (!request.IsWoken)
        {
            request.IsWoken = true;
            _woken.Add(request);
            Kernel.OnReady();
        }
    }

    /// <summary>Writes a completion.</summary>
    public void Complete(ulong userData, int result, uint flags)
    {
        var completion = new RingCompletion { UserData = userData, Result = result, Flags = flags };
        if (IsFull || _overflow.Count > 0)
        {
            _overflow.Enqueue(completion);
        }
        else
        {
            Write(completion);
        }
    }

    /// <summary>Forgets a request that is over.</summary>
    public void Remove(FakeRequest request)
    {
        _pending[request.Index] = _pending[^1];
        _pending[request.Index].Index = request.Index;
        _pending.RemoveAt(_pending.Count - 1);
    }

    /// <summary>Gets where the next bytes go; at most <paramref name="limit"/>.</summary>
    public Span<byte> NextBuffer(uint limit)
    {
        ref var buffer = ref _buffers[_bufferHead & _bufferMask];
        return new Span<byte>(buffer.Address, (int)Math.Min(buffer.Length, limit));
    }

    /// <summary>Uses up a part of the buffer.</summary>
    /// <returns>The flags of the completion that hands it over.</returns>
    public uint UseBuffer(int count)
    {
        ref var buffer = ref _buffers[_bufferHead & _bufferMask];
        uint flags = RingCompletionFlags.HasBuffer | ((uint)buffer.Id << 16);
        buffer.Address = (byte*)buffer.Address + count;
        buffer.Length -= (uint)count;
        if (buffer.Length > 0)
        {
            return flags | RingCompletionFlags.KeepsBuffer;
        }

        _bufferHead++;
        return flags;
    }

    /// <inheritdoc />
    public override uint Poll() => HasCompletions ? EpollEvent.IN : 0;

    /// <inheritdoc />
    public override void OnClosed()
    {
        while (_pending.Count > 0)
        {
            _pending[^1].End();
        }

        _isClosed = true;
        FreeIfUnused();
    }

    private ref uint Field(uint offset) => ref *(uint*)(_queues + offset);

    private void Write(in RingCompletion completion)
    {
        ((RingCompletion*)(_queues + Completions))[Field(CompletionTail) & Field(CompletionMask)] = completion;
        Field(CompletionTail)++;
    }

    private void FreeIfUnused()
    {
        if (_mapCount == 0 && _isClosed)
        {
            NativeMemory.Free(_queues);
            NativeMemory.Free(_requests);
        }
    }

    private void Submit(in RingRequest from)
    {
        if (from.Operation == RingRequest.OpCancel)
        {
            Complete(from.UserData, Cancel(from), 0);
            return;
        }

        var request = new FakeRequest(this, from, Kernel.Get<FakeFile>(from.Descriptor)) { Index = _pending.Count };
        _pending.Add(request);
        request.Try();
    }

    private int Cancel(in RingRequest cancel)
    {
        bool isByFile = (cancel.OperationFlags & RingRequest.CancelByDescriptor) != 0;
        bool isAll = (cancel.OperationFlags & RingRequest.CancelAll) != 0;
        var file = isByFile ? Kernel.Find(cancel.Descriptor) : null;
        if (isByFile && file is null)
        {
            // Closed meanwhile: what was under way for it had ended.
            return -EBADF;
        }

        int count = 0;
        for (int i = _pending.Count - 1; i >= 0 && (isAll || count == 0); i--)
        {
            var request = _pending[i];
            if (isByFile ? request.File == file : request.UserData == (ulong)cancel.Address)
            {
                request.End(-ECANCELED);
                count++;
            }
        }

        return count == 0 ? -ENOENT : isAll ? count : 0;
    }
}
