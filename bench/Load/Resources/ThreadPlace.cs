using System.Runtime.InteropServices;

namespace Shockwave.Load.Resources;

/// <summary>Where the calling thread runs.</summary>
internal static unsafe class ThreadPlace
{
    private const int SCHED_IDLE = 5;

    /// <param name="core">The only core that it may run on.</param>
    /// <param name="isIdle">Whether it runs only while nobody else wants that core.</param>
    public static void Set(int core, bool isIdle)
    {
        ulong mask = 1UL << core;
        int priority = 0;
        if (sched_setaffinity(0, sizeof(ulong), &mask) != 0 || (isIdle && sched_setscheduler(0, SCHED_IDLE, &priority) != 0))
        {
            throw new InvalidOperationException($"The thread cannot be put on core {core}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int sched_setaffinity(int thread, nuint length, ulong* mask);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int sched_setscheduler(int thread, int policy, int* priority);
}
