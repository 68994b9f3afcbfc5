using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>The real kernel, through libc.</summary>
/// <remarks>
/// Every signature is blittable, so the stubs are plain calls. The runtime keeps errno across the end of a call, also when it stops the
/// thread there for a collection: <c>SetLastError</c> relies on the same, but reads it after every call, and we only after one that failed.
/// None of them suppresses the GC transition: a send of 64 KiB takes 10 us, and a collection must not wait for it.
/// </remarks>
internal sealed unsafe partial class LinuxSystemCalls : SystemCalls
{
    private const int SOCK_STREAM = 1;
    private const int SOCK_NONBLOCK = 0x800;
    private const int SOCK_CLOEXEC = 0x80000;
    private const int MSG_TRUNC = 0x20;
    private const int MSG_DONTWAIT = 0x40;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int SHUT_WR = 1;
    private const int EPOLL_CLOEXEC = 0x80000;
    private const int EFD_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC;
    private const int PROT_READ_WRITE = 3;
    private const int MAP_SHARED_POPULATE = 0x8001;

    // libc has no functions for these three; the numbers are those of every architecture.
    private const nint SYS_io_uring_setup = 425;
    private const nint SYS_io_uring_enter = 426;
    private const nint SYS_io_uring_register = 427;

    public override int OpenSocket(int family, bool isNonBlocking) =>
        Result(socket(family, SOCK_STREAM | SOCK_CLOEXEC | (isNonBlocking ? SOCK_NONBLOCK : 0), 0));

    public override int SetOption(int socket, int level, int option, int value) => Result(setsockopt(socket, level, option, &value, sizeof(int)));

    public override int Bind(int socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address)
        {
            return Result(bind(socket, pointer, (uint)address.Length));
        }
    }

    public override int Listen(int socket, int backlog) => Result(listen(socket, backlog));

    public override int Connect(int socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address)
        {
            return Result(connect(socket, pointer, (uint)address.Length));
        }
    }

    public override int Accept(int listener) => Result(accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC));

    public override int GetAddress(int socket, bool isPeer, Span<byte> address, out int length)
    {
        uint size = (uint)address.Length;
        fixed (byte* pointer = address)
        {
            int result = Result(isPeer ? getpeername(socket, pointer, &size) : getsockname(socket, pointer, &size));
            length = (int)size;
            return result;
        }
    }

    public override int Receive(int socket, void* buffer, nuint length) => Result(recv(socket, buffer, length, 0));

    public override int Receive(int socket, IoVector* vectors, int count) => Result(readv(socket, vectors, count));

    // tcp(7): with MSG_TRUNC the bytes are discarded and no buffer is needed.
    public override int Discard(int socket, nuint length) => Result(recv(socket, null, length, MSG_TRUNC | MSG_DONTWAIT));

    public override int Send(int socket, void* buffer, nuint length) => Result(send(socket, buffer, length, MSG_NOSIGNAL));

    public override int Send(int socket, IoVector* vectors, int count)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        return Result(sendmsg(socket, &message, MSG_NOSIGNAL));
    }

    public override int ShutdownSend(int socket) => Result(shutdown(socket, SHUT_WR));

    public override int SetResetOnClose(int socket)
    {
        var linger = (IsOn: 1, Seconds: 0);
        return Result(setsockopt(socket, SocketOption.SOL_SOCKET, SocketOption.SO_LINGER, &linger, (uint)sizeof((int, int))));
    }

    // Never repeated, also after EINTR: Linux has released the descriptor by then, and the number may be somebody else's.
    public override int Close(int descriptor) => Result(close(descriptor));

    public override int EpollCreate() => Result(epoll_create1(EPOLL_CLOEXEC));

    public override int EpollControl(int epoll, int operation, int descriptor, uint events)
    {
        var change = new EpollEvent { Events = events, Descriptor = descriptor };
        return Result(epoll_ctl(epoll, operation, descriptor, &change));
    }

    public override int EpollWait(int epoll, EpollEvent* events, int maxEvents, int timeoutMilliseconds) =>
        Result(epoll_wait(epoll, events, maxEvents, timeoutMilliseconds));

    public override int EventCreate() => Result(eventfd(0, EFD_FLAGS));

    public override int EventSignal(int descriptor)
    {
        ulong one = 1;
        return Result(write(descriptor, &one, sizeof(ulong)));
    }

    public override int EventClear(int descriptor)
    {
        ulong count;
        return Result(read(descriptor, &count, sizeof(ulong)));
    }

    public override int RingCreate(uint entries, RingParameters* parameters) => Result(syscall(SYS_io_uring_setup, (nint)entries, (nint)parameters, 0, 0, 0, 0));

    public override int RingEnter(int ring, uint submitCount, uint minCompletions, uint flags, int timeoutMilliseconds)
    {
        if (timeoutMilliseconds < 0)
        {
            return Result(syscall(SYS_io_uring_enter, ring, (nint)submitCount, (nint)minCompletions, (nint)flags, 0, 0));
        }

        var time = (Seconds: timeoutMilliseconds / 1000L, Nanoseconds: timeoutMilliseconds % 1000 * 1_000_000L);
        var argument = new RingWait { Timeout = &time };
        return Result(syscall(SYS_io_uring_enter, ring, (nint)submitCount, (nint)minCompletions, (nint)(flags | RingWait.Flag), (nint)(&argument), sizeof(RingWait)));
    }

    public override int RingRegister(int ring, uint operation, void* argument, uint count) =>
        Result(syscall(SYS_io_uring_register, ring, (nint)operation, (nint)argument, (nint)count, 0, 0));

    public override void* RingMap(int ring, nuint length, long offset)
    {
        void* memory = mmap(null, length, PROT_READ_WRITE, MAP_SHARED_POPULATE, ring, (nint)offset);
        return memory == (void*)-1 ? null : memory;
    }

    public override int RingUnmap(void* memory, nuint length) => Result(munmap(memory, length));

    private static int Result(nint result) => result >= 0 ? (int)result : -Marshal.GetLastSystemError();

    [LibraryImport("libc")]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc")]
    private static partial int setsockopt(int socket, int level, int option, void* value, uint length);

    [LibraryImport("libc")]
    private static partial int bind(int socket, void* address, uint length);

    [LibraryImport("libc")]
    private static partial int listen(int socket, int backlog);

    [LibraryImport("libc")]
    private static partial int connect(int socket, void* address, uint length);

    [LibraryImport("libc")]
    private static partial int accept4(int socket, void* address, uint* length, int flags);

    [LibraryImport("libc")]
    private static partial int getsockname(int socket, void* address, uint* length);

    [LibraryImport("libc")]
    private static partial int getpeername(int socket, void* address, uint* length);

    [LibraryImport("libc")]
    private static partial nint recv(int socket, void* buffer, nuint length, int flags);

    [LibraryImport("libc")]
    private static partial nint readv(int descriptor, IoVector* vectors, int count);

    [LibraryImport("libc")]
    private static partial nint send(int socket, void* buffer, nuint length, int flags);

    [LibraryImport("libc")]
    private static partial nint sendmsg(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc")]
    private static partial int shutdown(int socket, int how);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    [LibraryImport("libc")]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc")]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, EpollEvent* change);

    [LibraryImport("libc")]
    private static partial int epoll_wait(int epoll, EpollEvent* events, int maxEvents, int timeout);

    [LibraryImport("libc")]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, void* buffer, nuint length);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, void* buffer, nuint length);

    // Variadic in C; with six integers it is called like any other function on x64 and on Linux for ARM64.
    [LibraryImport("libc")]
    private static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);

    [LibraryImport("libc")]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);
}
