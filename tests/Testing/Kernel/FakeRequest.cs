using Shockwave.Engine;

namespace Shockwave.Testing;

/// <summary>A request that is under way in a <see cref="FakeRing"/>.</summary>
internal sealed unsafe class FakeRequest
{
    private const int EAGAIN = 11;
    private const int ENOBUFS = 105;
    private const int EALREADY = 114;
    private const int EINPROGRESS = 115;

    // So many completions of one request in a row, then others have their turn.
    private const int MaxInARow = 32;

    private readonly FakeRing _ring;
    private readonly RingRequest _from;
    private readonly FakeRequests _others;
    private readonly IoVector[] _vectors;
    private readonly uint _hash;

    public FakeRequest(FakeRing ring, in RingRequest from, FakeFile file)
    {
        (_ring, _from, File) = (ring, from, file);
        file.Waiter ??= new FakeRequests(file);
        _others = file.Waiter as FakeRequests ?? throw ring.Kernel.Misused($"Descriptor {file.Number} is waited for by epoll.");
        _others.Add(this);

        // As the kernel does: where the pieces are is taken over at once, and what is in them when it is sent.
        _vectors = from.Operation switch
        {
            RingRequest.OpSend => [new IoVector { Base = from.Address, Length = from.Length }],
            RingRequest.OpSendMessage => new Span<IoVector>(((MessageHeader*)from.Address)->Vectors, (int)((MessageHeader*)from.Address)->VectorCount).ToArray(),
            _ => [],
        };
        _hash = HashOfSend();
    }

    public FakeFile File { get; }

    public ulong UserData => _from.UserData;

    /// <summary>Gets what wakes it.</summary>
    public uint Interest => EpollEvent.ERR | EpollEvent.HUP | (_from.Operation switch
    {
        RingRequest.OpPollAdd => _from.OperationFlags,
        RingRequest.OpSend or RingRequest.OpSendMessage or RingRequest.OpConnect => EpollEvent.OUT,
        _ => EpollEvent.IN | EpollEvent.RDHUP,
    });

    /// <summary>Gets or sets its place among the ring's.</summary>
    public int Index { get; set; }

    public bool IsPending { get; private set; } = true;

    /// <summary>Gets or sets whether it is to be tried again.</summary>
    public bool IsWoken { get; set; }

    public bool IsAccept => _from.Operation == RingRequest.OpAccept;

    /// <summary>Something happened to its file.</summary>
    public void Wake() => _ring.Wake(this);

    /// <summary>Does what can be done now.</summary>
    public void Try()
    {
        switch (_from.Operation)
        {
            case RingRequest.OpPollAdd:
                TryPoll();
                break;
            case RingRequest.OpAccept:
                TryAccept();
                break;
            case RingRequest.OpConnect:
                TryConnect();
                break;
            case RingRequest.OpSend or RingRequest.OpSendMessage:
                TrySend();
                break;
            case RingRequest.OpReceive:
                TryReceive();
                break;
            default:
                throw _ring.Kernel.Misused($"Operation {_from.Operation} is not known.");
        }
    }

    /// <summary>Ends it with a completion.</summary>
    public void End(int result, uint flags = 0)
    {
        CheckSend();
        _ring.Complete(UserData, result, flags);
        End();
    }

    /// <summary>Ends it, when the ring is closed without one.</summary>
    public void End()
    {
        IsPending = false;
        _ring.Remove(this);
        _others.Remove(this);
    }

    private void TryPoll()
    {
        uint found = File.Poll() & (_from.OperationFlags | EpollEvent.ERR | EpollEvent.HUP);
        if (found != 0 && (_from.Length & RingRequest.PollMultishot) != 0)
        {
            _ring.Complete(UserData, (int)found, RingCompletionFlags.HasMore);
        }
        else if (found != 0)
        {
            End((int)found);
        }
    }

    private void TryAccept()
    {
        for (int i = 0; i < MaxInARow; i++)
        {
            int result = _ring.Kernel.Accept((FakeSocket)File, _ring.Kernel.TakeFailure(KernelCall.Accept), isNonBlocking: false);
            if (result == -EAGAIN)
            {
                return;
            }

            if (result < 0)
            {
                End(result);
                return;
            }

            _ring.Complete(UserData, result, RingCompletionFlags.HasMore);
        }

        Wake();
    }

    private void TryConnect()
    {
        int failure = _ring.Kernel.TakeFailure(KernelCall.Connect);
        int result = _ring.Kernel.Connect((FakeSocket)File, new ReadOnlySpan<byte>(_from.Address, (int)_from.AddressLength), failure);
        if (result is not (-EINPROGRESS or -EALREADY))
        {
            End(result);
        }
    }

    private void TrySend()
    {
        CheckSend();
        int failure = _ring.Kernel.TakeFailure(KernelCall.Send);
        fixed (IoVector* vectors = _vectors)
        {
            int sent = failure != 0 ? -failure : _ring.Kernel.SendAll((FakeSocket)File, vectors, _vectors.Length);
            if (sent != -EAGAIN)
            {
                End(sent);
            }
        }
    }

    private void TryReceive()
    {
        bool isMultishot = _from.IoPriority == RingRequest.ReceiveMultishot;
        for (int i = 0; i < MaxInARow; i++)
        {
            if (_ring.Kernel.TakeFailure(KernelCall.Receive) is var failure and not 0)
            {
                End(-failure);
                return;
            }

            // Looked for before anything is received.
            if (!_ring.HasBuffer)
            {
                End(-ENOBUFS);
                return;
            }

            int received = ((FakeSocket)File).Receive(_ring.NextBuffer(_from.Length == 0 ? uint.MaxValue : _from.Length));
            if (received == -EAGAIN)
            {
                return;
            }

            if (received <= 0 || !isMultishot)
            {
                End(received, received > 0 ? _ring.UseBuffer(received) : 0);
                return;
            }

            _ring.Complete(UserData, received, _ring.UseBuffer(received) | RingCompletionFlags.HasMore);
            _ring.Kernel.LetTimePass();
        }

        Wake();
    }

    // What is to be sent belongs to the kernel until the completion.
    private void CheckSend()
    {
        if (HashOfSend() != _hash)
        {
            throw _ring.Kernel.Misused($"What descriptor {File.Number} sends was changed under way.");
        }
    }

    // One byte in each line of the cache: whoever gets the buffer next writes more than one.
    private uint HashOfSend()
    {
        uint hash = 0;
        foreach (var vector in _vectors)
        {
            for (nuint i = 0; i < vector.Length; i += 61)
            {
                hash = (hash * 31) + ((byte*)vector.Base)[i];
            }
        }

        return hash;
    }
}

/// <summary>The flags of a completion.</summary>
internal static class RingCompletionFlags
{
    public const uint HasBuffer = 1;
    public const uint HasMore = 2;
    public const uint KeepsBuffer = 16;
}
