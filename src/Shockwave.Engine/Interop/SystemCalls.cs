using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>
/// The kernel as the loops see it: one method for each system call. A scripted fake stands in for it in tests.
/// </summary>
/// <remarks>Every call returns what the kernel returns, or the error number negated; none throws. Any thread, but for one ring's calls.</remarks>
internal abstract unsafe class SystemCalls
{
    /// <summary>Gets the real kernel.</summary>
    public static SystemCalls Linux { get; } = new LinuxSystemCalls();

    /// <summary>Opens a TCP socket, closed on exec.</summary>
    public abstract int OpenSocket(int family, bool isNonBlocking);

    public abstract int SetOption(int socket, int level, int option, int value);

    public abstract int Bind(int socket, ReadOnlySpan<byte> address);

    public abstract int Listen(int socket, int backlog);

    /// <summary>Connects. Called again for a non-blocking socket it says what came of it: EALREADY while that is not known.</summary>
    public abstract int Connect(int socket, ReadOnlySpan<byte> address);

    /// <summary>Accepts a connection, non-blocking and closed on exec.</summary>
    public abstract int Accept(int listener);

    /// <summary>Gets one of the two addresses; <paramref name="length"/> is set to the address's own.</summary>
    public abstract int GetAddress(int socket, bool isPeer, Span<byte> address, out int length);

    public abstract int Receive(int socket, void* buffer, nuint length);

    public abstract int Receive(int socket, IoVector* vectors, int count);

    /// <summary>Throws away what was received, up to so many bytes. Does not wait for any.</summary>
    public abstract int Discard(int socket, nuint length);

    /// <summary>Sends; a peer that is gone is an error, never a signal.</summary>
    public abstract int Send(int socket, void* buffer, nuint length);

    public abstract int Send(int socket, IoVector* vectors, int count);

    /// <summary>Ends our sending side: FIN.</summary>
    public abstract int ShutdownSend(int socket);

    /// <summary>Makes the close reset the connection and throw away what was not sent (SO_LINGER with no time).</summary>
    public abstract int SetResetOnClose(int socket);

    public abstract int Close(int descriptor);

    public abstract int EpollCreate();

    public abstract int EpollControl(int epoll, int operation, int descriptor, uint events);

    public abstract int EpollWait(int epoll, EpollEvent* events, int maxEvents, int timeoutMilliseconds);

    /// <summary>Creates an eventfd: what a thread writes to in order to wake a loop.</summary>
    public abstract int EventCreate();

    public abstract int EventSignal(int descriptor);

    public abstract int EventClear(int descriptor);

    /// <summary>Creates an io_uring.</summary>
    public abstract int RingCreate(uint entries, RingParameters* parameters);

    /// <summary>Submits to a ring, and waits until so many completions are there. On the thread that created the ring.</summary>
    public abstract int RingEnter(int ring, uint submitCount, uint minCompletions, uint flags, int timeoutMilliseconds);

    public abstract int RingRegister(int ring, uint operation, void* argument, uint count);

    /// <summary>Maps memory that a ring shares with the kernel; null when that fails.</summary>
    public abstract void* RingMap(int ring, nuint length, long offset);

    public abstract int RingUnmap(void* memory, nuint length);
}

/// <summary>One piece of memory in a vectored call (<c>struct iovec</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}

/// <summary>What is to be sent, in pieces (<c>struct msghdr</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}
