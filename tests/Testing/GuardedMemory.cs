using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Shockwave.Testing;

/// <summary>Memory between two pages that must not be touched: a read or write beyond either end kills the process.</summary>
/// <remarks>The memory is its creator's until it is disposed; a span kept longer points at nothing.</remarks>
public sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ProtectNone = 0;
    private const int ProtectReadWrite = 3;
    private const int MapPrivate = 2;
    private static readonly int _mapAnonymous = OperatingSystem.IsLinux() ? 0x20 : 0x1000;

    private const uint MemoryCommitAndReserve = 0x3000;
    private const uint MemoryRelease = 0x8000;
    private const uint PageNoAccess = 0x01;
    private const uint PageReadWrite = 0x04;

    private readonly nuint _mappedBytes;
    private byte* _start;

    /// <summary>Maps the memory.</summary>
    /// <param name="minLength">The length needed; it is rounded up to whole pages.</param>
    public GuardedMemory(int minLength)
    {
        int page = Environment.SystemPageSize;
        Length = (minLength + page - 1) / page * page;
        _mappedBytes = (nuint)(Length + (2 * page));
        _start = OperatingSystem.IsWindows() ? MapOnWindows(page) : MapOnUnix(page);
    }

    /// <summary>Gets the length between the guards, in bytes.</summary>
    public int Length { get; }

    /// <summary>Gets all of the memory: its first byte follows a guard and its last byte precedes one.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_start is null, this);
            return new Span<byte>(_start + Environment.SystemPageSize, Length);
        }
    }

    /// <summary>Gets the last <paramref name="length"/> bytes: what is beyond them is a guard.</summary>
    public Span<byte> Last(int length) => Span[(Length - length)..];

    /// <inheritdoc />
    public void Dispose()
    {
        if (_start is not null)
        {
            _ = OperatingSystem.IsWindows() ? VirtualFree(_start, 0, MemoryRelease) : Unmap(_start, _mappedBytes);
            _start = null;
        }
    }

    private byte* MapOnUnix(int page)
    {
        byte* start = Map(null, _mappedBytes, ProtectNone, MapPrivate | _mapAnonymous, -1, 0);
        if ((nint)start == -1 || Protect(start + page, (nuint)Length, ProtectReadWrite) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        return start;
    }

    private byte* MapOnWindows(int page)
    {
        byte* start = VirtualAlloc(null, _mappedBytes, MemoryCommitAndReserve, PageNoAccess);
        if (start is null || VirtualProtect(start + page, (nuint)Length, PageReadWrite, out _) == 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        return start;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial byte* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial byte* VirtualAlloc(void* address, nuint length, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int VirtualProtect(void* address, nuint length, uint protection, out uint previous);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int VirtualFree(void* address, nuint length, uint type);
}
