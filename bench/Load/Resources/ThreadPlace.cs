using System.Runtime.InteropServices;

namespace Shockwave.Load.Resources;

/// <summary>Where the calling thread stands among those that want its core.</summary>
internal static unsafe class ThreadPlace
{
    private const int SCHED_IDLE = 5;

    /// <summary>From now on it runs only while nobody else wants the core.</summary>
    public static void BecomeIdle()
    {
        int priority = 0;
        if (sched_setscheduler(0, SCHED_IDLE, &priority) != 0)
        {
            throw new InvalidOperationException($"The thread cannot step back: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int sched_setscheduler(int thread, int policy, int* priority);
}
