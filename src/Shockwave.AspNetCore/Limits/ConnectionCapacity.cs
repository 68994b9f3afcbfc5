using System.Runtime.InteropServices;

namespace Shockwave.AspNetCore;

/// <summary>How many connections this process can hold: what its descriptors and its memory allow, whichever is less.</summary>
internal static class ConnectionCapacity
{
    private const long BytesPerConnection = 64 * 1024;

    /// <summary>Gets the capacity. Read once: neither limit changes while the process runs.</summary>
    public static int Default { get; } = Of(OpenFileLimit(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>Leaves a fifth of the descriptors to everything else that the process opens.</summary>
    public static int Of(long openFiles, long memoryBytes) =>
        (int)Math.Clamp(Math.Min(openFiles / 5 * 4, memoryBytes / BytesPerConnection), 1, int.MaxValue);

    // RLIMIT_NOFILE, which the runtime has raised to the hard limit when it started. Windows has none.
    private static long OpenFileLimit()
    {
        int? resource = OperatingSystem.IsLinux() ? 7 : OperatingSystem.IsMacOS() ? 8 : null;
        return resource is { } number && GetResourceLimit(number, out var limit) == 0 ? (long)Math.Min(limit.Current, long.MaxValue) : long.MaxValue;
    }

    [DllImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetResourceLimit(int resource, out ResourceLimit limit);

    private struct ResourceLimit
    {
        public ulong Current;
        public ulong Most;
    }
}
