namespace Shockwave;

/// <summary>What moves the bytes of connections.</summary>
public enum EngineKind
{
    /// <summary>The best that the machine has: <see cref="Epoll"/> on Linux, <see cref="Portable"/> elsewhere.</summary>
    Auto,

    /// <summary>Event loops on epoll (Linux).</summary>
    Epoll,

    /// <summary>Event loops on io_uring (Linux); <see cref="Epoll"/> where the kernel refuses it.</summary>
    IoUring,

    /// <summary>No event loops: the sockets of .NET, or Kestrel's transport, and the thread pool.</summary>
    Portable,
}
