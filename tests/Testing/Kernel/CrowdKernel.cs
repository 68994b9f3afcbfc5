using Shockwave.Engine;

namespace Shockwave.Testing;

/// <summary>A kernel for very many connections that say nothing and take everything: a descriptor is a number, and a byte that counts.</summary>
/// <remarks>
/// For what a <see cref="FakeKernel"/>, with its sockets, peers and queues, would itself be the largest part of. A send costs what entering
/// the real kernel costs and nothing more: without that it would be cheaper than any kernel's, and what a program does around it would
/// look dearer than it is. Epoll only; the loop's thread only.
/// </remarks>
internal sealed unsafe class CrowdKernel(int capacity) : SystemCalls, IDisposable
{
    private const int EAGAIN = 11;
    private const int EINTR = 4;

    private readonly byte[] _sends = new byte[capacity];
    private readonly int _event = Linux.EventCreate();
    private int _next = 3;

    /// <summary>Gets how many bytes were sent, to all together.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Gets how often a connection was sent something, since the beginning or the 256th time.</summary>
    public byte SendCount(int socket) => _sends[socket];

    /// <summary>Gets how many descriptors were closed.</summary>
    public int CloseCount { get; private set; }

    /// <summary>Opens a connection.</summary>
    public int Connect() => _next++;

    public void Dispose() => Linux.Close(_event);

    public override int Receive(int socket, void* buffer, nuint length) => -EAGAIN;

    public override int Receive(int socket, IoVector* vectors, int count) => -EAGAIN;

    public override int Discard(int socket, nuint length) => -EAGAIN;

    public override int Send(int socket, void* buffer, nuint length)
    {
        Linux.EventSignal(_event);
        SentBytes += (long)length;
        _sends[socket]++;
        return (int)length;
    }

    public override int Send(int socket, IoVector* vectors, int count)
    {
        nuint total = 0;
        for (int i = 0; i < count; i++)
        {
            total += vectors[i].Length;
        }

        return Send(socket, null, total);
    }

    public override int SetResetOnClose(int socket) => 0;

    public override int Close(int descriptor)
    {
        CloseCount++;
        return 0;
    }

    public override int EpollCreate() => _next++;

    public override int EpollControl(int epoll, int operation, int descriptor, uint events) => 0;

    public override int EpollWait(int epoll, EpollEvent* events, int maxEvents, int timeoutMilliseconds) => timeoutMilliseconds == 0 ? 0 : -EINTR;

    public override int EventCreate() => _next++;

    public override int EventSignal(int descriptor) => 0;

    public override int EventClear(int descriptor) => 0;

    public override int OpenSocket(int family, bool isNonBlocking) => throw Unexpected();

    public override int SetOption(int socket, int level, int option, int value) => throw Unexpected();

    public override int Bind(int socket, ReadOnlySpan<byte> address) => throw Unexpected();

    public override int Listen(int socket, int backlog) => throw Unexpected();

    public override int Connect(int socket, ReadOnlySpan<byte> address) => throw Unexpected();

    public override int Accept(int listener) => throw Unexpected();

    public override int GetAddress(int socket, bool isPeer, Span<byte> address, out int length) => throw Unexpected();

    public override int ShutdownSend(int socket) => throw Unexpected();

    public override int RingCreate(uint entries, RingParameters* parameters) => throw Unexpected();

    public override int RingEnter(int ring, uint submitCount, uint minCompletions, uint flags, int timeoutMilliseconds) => throw Unexpected();

    public override int RingRegister(int ring, uint operation, void* argument, uint count) => throw Unexpected();

    public override void* RingMap(int ring, nuint length, long offset) => throw Unexpected();

    public override int RingUnmap(void* memory, nuint length) => throw Unexpected();

    private static NotSupportedException Unexpected() => new("Connections that are there, on epoll, need no more.");
}
