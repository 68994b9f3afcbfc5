using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Shockwave.Load.Resources;

/// <summary>What this process uses.</summary>
internal static class ProcessFigures
{
    /// <summary>Gets the number of open descriptors.</summary>
    public static int Descriptors => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    public static TimeSpan ProcessorTime
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return process.TotalProcessorTime;
        }
    }

    public static long ResidentBytes => Environment.WorkingSet;

    /// <summary>Gets the bytes that native code has allocated, in all arenas.</summary>
    public static long NativeBytes
    {
        get
        {
            var info = mallinfo2();
            return (long)(info.InUse + info.Mapped);
        }
    }

    /// <summary>Gets the bytes that are alive, after a collection that leaves nothing else.</summary>
    public static long LiveHeapBytes()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: false);
    }

    [DllImport("libc", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern MallocInfo mallinfo2();

    // struct mallinfo2: arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost.
    [StructLayout(LayoutKind.Explicit, Size = 10 * sizeof(ulong))]
    private struct MallocInfo
    {
        [FieldOffset(4 * sizeof(ulong))]
        public nuint Mapped;

        [FieldOffset(7 * sizeof(ulong))]
        public nuint InUse;
    }
}
