using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>A loop on io_uring: what one turn wants from the kernel goes there in one call, and what came of it is found in memory.</summary>
/// <remarks>
/// Its sockets are blocking ones: of a non-blocking socket io_uring reports that there is nothing, instead of waiting for something.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Released by the loop's thread when it ends.")]
internal sealed unsafe class UringLoop : EventLoop
{
    private const uint MaxRequests = 1024;
    private const uint MaxCompletions = 16 * 1024;

    // 2 MiB in pieces that come back soon: fewer and larger ones were slower at 16 KiB, smaller ones cut too many messages in two.
    private const int BufferCount = 16;
    private const int BufferBytes = 128 * 1024;

    // So many connections may send in pieces in one turn, and so many pieces at once: the rest of it one piece after the other.
    private const int MaxMessages = 256;
    private const int MaxVectors = 16;

    private const uint MSG_NOSIGNAL = 0x4000;
    private const uint SOCK_CLOEXEC = 0x80000;

    private readonly Stack<int> _freeSlots = new();
    private readonly SendArena _arena;
    private MessageHeader* _messages;
    private IoVector* _vectors;
    private int _usedMessages;
    private Ring _ring = null!;
    private ReceiveBuffers _receiveBuffers = null!;

    // By slot: transports and acceptors. A slot is free again after the last completion for it.
    private object?[] _items = new object?[1024];
    private int _slotCount;
    private List<UringTransport> _resumeLater = [];
    private List<UringTransport> _resumeNow = [];

    public UringLoop(SystemCalls system, TimeProvider time, TimeSpan busyPoll = default, ArrayPool<byte>? buffers = null)
        : base(system, time, busyPoll, buffers) => _arena = new SendArena(Buffers);

    // What a completion answers: the low byte of its user data; the slot is above it.
    private enum Request : byte
    {
        Cancel,
        Receive,
        Send,
        Poll,
        Accept,
        Connect,
        Wake,
    }

    public ReceiveBuffers ReceiveBuffers => _receiveBuffers;

    /// <inheritdoc />
    protected override SendArena Arena => _arena;

    /// <inheritdoc />
    protected override bool HasBacklog => _resumeLater.Count > 0;

    /// <summary>Tries whether the kernel has all that the loop needs.</summary>
    /// <exception cref="EngineException">It has not: the message says what was refused.</exception>
    public static void Probe(SystemCalls system)
    {
        using var ring = new Ring(system, 8, 16);
        using var buffers = new ReceiveBuffers(ring, bufferCount: 1, bufferBytes: 4096);
    }

    /// <inheritdoc />
    public override SocketTransport Open(int socket)
    {
        var transport = new UringTransport(this, socket);
        transport.Slot = Occupy(transport);
        CountConnection(1);
        return transport;
    }

    /// <inheritdoc />
    public override bool WantsNonBlockingSockets => false;

    /// <inheritdoc />
    public override void Connect(Connector connector)
    {
        connector.Slot = Occupy(connector);
        ref var request = ref NewRequest(Request.Connect, connector.Slot, RingRequest.OpConnect, connector.Socket);
        request.Address = connector.PinnedAddress;
        request.AddressLength = (ulong)connector.Address.Length;
    }

    /// <inheritdoc />
    public override void CancelConnect(Connector connector) => Cancel(Request.Connect, connector.Slot);

    /// <inheritdoc />
    public override void StartAccepting(Acceptor acceptor)
    {
        if (acceptor.Slot < 0)
        {
            acceptor.Slot = Occupy(acceptor);
            RequestAccepts(acceptor);
        }

        // Otherwise it was stopped just now: the last completion of that request begins the next.
    }

    private void RequestAccepts(Acceptor acceptor)
    {
        ref var request = ref NewRequest(Request.Accept, acceptor.Slot, RingRequest.OpAccept, acceptor.Socket);
        request.IoPriority = RingRequest.AcceptMultishot;
        request.OperationFlags = SOCK_CLOEXEC;
    }

    /// <inheritdoc />
    public override void StopAccepting(Acceptor acceptor)
    {
        Cancel(Request.Accept, acceptor.Slot);

        // At once: until then the request keeps the socket open, and its port taken, after the socket was closed.
        _ring.Enter(timeoutMilliseconds: 0);
    }

    /// <summary>Receives once, or, multishot, until it is cancelled.</summary>
    public void Receive(UringTransport transport, bool isMultishot)
    {
        ref var request = ref NewRequest(Request.Receive, transport.Slot, RingRequest.OpReceive, transport.Socket);
        request.Flags = RingRequest.SelectBuffer;
        request.BufferGroup = ReceiveBuffers.Group;
        request.IoPriority = isMultishot ? RingRequest.ReceiveMultishot : (ushort)0;
        request.Length = isMultishot ? 0u : SocketTransport.MaxReceiveBytes;
    }

    public void Send(UringTransport transport, void* bytes, int count)
    {
        ref var request = ref NewRequest(Request.Send, transport.Slot, RingRequest.OpSend, transport.Socket);
        request.Address = bytes;
        request.Length = (uint)count;
        request.OperationFlags = MSG_NOSIGNAL;
    }

    /// <summary>Sends several pieces in one request.</summary>
    /// <returns>Whether it could; otherwise the first piece is to be sent by itself.</returns>
    public bool TrySendMany(UringTransport transport, OutputQueue output, int maxBytes)
    {
        if (_usedMessages == MaxMessages)
        {
            return false;
        }

        var message = _messages + _usedMessages;
        var vectors = _vectors + (_usedMessages++ * MaxVectors);
        int count = 0;
        for (int left = maxBytes; left > 0 && count < Math.Min(output.Count, MaxVectors); count++)
        {
            int length = Math.Min(output[count].Count, left);
            vectors[count] = new IoVector { Base = output.Pin(count), Length = (nuint)length };
            left -= length;
        }

        *message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        ref var request = ref NewRequest(Request.Send, transport.Slot, RingRequest.OpSendMessage, transport.Socket);
        request.Address = message;
        request.Length = 1;
        request.OperationFlags = MSG_NOSIGNAL;
        return true;
    }

    /// <summary>Reports, once, that the peer hung up.</summary>
    public void PollHangUp(UringTransport transport)
    {
        ref var request = ref NewRequest(Request.Poll, transport.Slot, RingRequest.OpPollAdd, transport.Socket);
        request.OperationFlags = EpollEvent.RDHUP | EpollEvent.HUP | EpollEvent.ERR;
    }

    public void CancelReceive(UringTransport transport) => Cancel(Request.Receive, transport.Slot);

    /// <summary>Cancels everything that is under way for a socket; each ends with a completion.</summary>
    public void CancelAll(UringTransport transport)
    {
        ref var request = ref NewRequest(Request.Cancel, transport.Slot, RingRequest.OpCancel, transport.Socket);
        request.OperationFlags = RingRequest.CancelByDescriptor | RingRequest.CancelAll;
    }

    /// <summary>Lets a transport go on receiving in the next turn.</summary>
    public void ResumeLater(UringTransport transport) => _resumeLater.Add(transport);

    /// <summary>Takes a transport out of the table: nothing is under way for it any more.</summary>
    public void Forget(UringTransport transport) => Vacate(transport.Slot);

    /// <inheritdoc />
    protected override void Begin()
    {
        _ring = new Ring(System, MaxRequests, MaxCompletions);
        try
        {
            _receiveBuffers = new ReceiveBuffers(_ring, BufferCount, BufferBytes);
        }
        catch
        {
            _ring.Dispose();
            throw;
        }

        _messages = (MessageHeader*)NativeMemory.Alloc(MaxMessages, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.Alloc(MaxMessages * MaxVectors, (nuint)sizeof(IoVector));
        WatchWakeEvent();
    }

    /// <inheritdoc />
    protected override bool Wait(int timeoutMilliseconds)
    {
        _ring.Enter(timeoutMilliseconds);
        if (_ring.IsSubmitted)
        {
            // The kernel has taken over where the pieces are.
            _usedMessages = 0;
        }

        return _ring.CompletionCount > 0;
    }

    /// <inheritdoc />
    protected override void HandleEvents()
    {
        // Not more than were there: what is completed meanwhile belongs to the next turn.
        for (uint left = _ring.CompletionCount; left > 0 && _ring.TryTake(out var completion); left--)
        {
            PrefetchNext(left - 1);
            Handle(completion);
        }

        ResumeThoseWhoWait();
    }

    /// <inheritdoc />
    protected override void EndEvents()
    {
    }

    /// <inheritdoc />
    protected override void AbortAll()
    {
        // Called once for each turn that an ending loop still takes, of which a million connections make a thousand.
        if (_freeSlots.Count == _slotCount)
        {
            return;
        }

        foreach (object? item in _items)
        {
            (item as UringTransport)?.Abort();
            (item as Connector)?.Cancel();
        }
    }

    /// <inheritdoc />
    protected override void Release()
    {
        _ring.Dispose();
        _receiveBuffers.Dispose();
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
    }

    // As on the epoll loop: the transport two completions ahead, and what it delivers to when that has arrived.
    private void PrefetchNext(uint left)
    {
        if (left > 1)
        {
            Prefetcher.Load(ItemOf(_ring.PeekUserData(1)), ServedBytes);
        }

        if (left > 0 && ItemOf(_ring.PeekUserData(0)) is UringTransport transport)
        {
            transport.PrefetchHandler();
        }
    }

    // What answers a cancel may have no slot any more.
    private object? ItemOf(ulong userData) => (uint)SlotOf(userData) < (uint)_items.Length ? _items[SlotOf(userData)] : null;

    private void Handle(in RingCompletion completion)
    {
        int slot = SlotOf(completion.UserData);
        switch ((Request)(byte)completion.UserData)
        {
            case Request.Receive:
                ((UringTransport)_items[slot]!).OnReceived(completion);
                break;
            case Request.Send:
                ((UringTransport)_items[slot]!).OnSent(completion.Result);
                break;
            case Request.Poll:
                ((UringTransport)_items[slot]!).OnPolled(completion.Result);
                break;
            case Request.Accept:
                OnAccepted((Acceptor)_items[slot]!, completion);
                break;
            case Request.Connect:
                var connector = (Connector)_items[slot]!;
                Vacate(slot);
                connector.OnResult(completion.Result);
                break;
            case Request.Wake:
                System.EventClear(WakeEvent);
                if (!completion.HasMore)
                {
                    WatchWakeEvent();
                }

                break;
            default:
                break;
        }
    }

    private void OnAccepted(Acceptor acceptor, in RingCompletion completion)
    {
        bool goesOn = completion.Result == -Errno.ECANCELED || acceptor.OnAccepted(completion.Result);
        if (completion.HasMore)
        {
            return;
        }

        if (goesOn && acceptor.IsAccepting)
        {
            RequestAccepts(acceptor);
        }
        else if (!acceptor.IsAccepting)
        {
            Vacate(acceptor.Slot);
            acceptor.Slot = -1;
        }
    }

    private void WatchWakeEvent()
    {
        ref var request = ref NewRequest(Request.Wake, 0, RingRequest.OpPollAdd, WakeEvent);
        request.Length = RingRequest.PollMultishot;
        request.OperationFlags = EpollEvent.IN;
    }

    private void Cancel(Request target, int slot)
    {
        ref var request = ref NewRequest(Request.Cancel, slot, RingRequest.OpCancel, descriptor: -1);
        request.Address = (void*)UserData(target, slot);
    }

    private ref RingRequest NewRequest(Request kind, int slot, byte operation, int descriptor)
    {
        ref var request = ref _ring.Next();
        request.Operation = operation;
        request.Descriptor = descriptor;
        request.UserData = UserData(kind, slot);
        return ref request;
    }

    private static ulong UserData(Request kind, int slot) => ((ulong)slot << 8) | (byte)kind;

    private static int SlotOf(ulong userData) => (int)(userData >> 8);

    private void ResumeThoseWhoWait()
    {
        (_resumeLater, _resumeNow) = (_resumeNow, _resumeLater);
        foreach (var transport in _resumeNow)
        {
            transport.ResumeQueued();
        }

        _resumeNow.Clear();
    }

    private int Occupy(object item)
    {
        if (!_freeSlots.TryPop(out int slot))
        {
            slot = _slotCount++;
            if (slot == _items.Length)
            {
                Array.Resize(ref _items, _items.Length * 2);
            }
        }

        _items[slot] = item;
        return slot;
    }

    private void Vacate(int slot)
    {
        _items[slot] = null;
        _freeSlots.Push(slot);
    }
}
