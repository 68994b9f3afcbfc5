namespace Shockwave.Engine;

/// <summary>The error numbers that the loops tell apart, as Linux defines them for every architecture that .NET runs on.</summary>
internal static class Errno
{
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOSPC = 28;
    public const int EPIPE = 32;
    public const int ETIME = 62;
    public const int ENOBUFS = 105;
    public const int ECONNABORTED = 103;
    public const int ECONNRESET = 104;
    public const int EISCONN = 106;
    public const int EALREADY = 114;
    public const int EINPROGRESS = 115;
    public const int ECANCELED = 125;

    /// <summary>Whether accepting failed for want of something that comes back: descriptors, memory or (ENOSPC) places in epoll.</summary>
    public static bool IsExhausted(int errno) => errno is EMFILE or ENFILE or ENOMEM or ENOBUFS or ENOSPC;
}
