using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>One change of state that epoll reports (<c>struct epoll_event</c>): packed on x64, naturally aligned on every other architecture.</summary>
internal unsafe struct EpollEvent
{
    public const uint IN = 0x1;
    public const uint OUT = 0x4;
    public const uint ERR = 0x8;
    public const uint HUP = 0x10;
    public const uint RDHUP = 0x2000;
    public const uint ET = 1u << 31;

    public const int ADD = 1;
    public const int DEL = 2;
    public const int MOD = 3;

    /// <summary>The distance from one event to the next in the kernel's array.</summary>
    public static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private fixed byte _bytes[16];

    // The descriptor is the event's data, which lies at its end.
    private static int DescriptorOffset => Size - sizeof(ulong);

    public uint Events
    {
        get => Unsafe.ReadUnaligned<uint>(ref _bytes[0]);
        set => Unsafe.WriteUnaligned(ref _bytes[0], value);
    }

    public int Descriptor
    {
        get => Unsafe.ReadUnaligned<int>(ref _bytes[DescriptorOffset]);
        set => Unsafe.WriteUnaligned(ref _bytes[DescriptorOffset], value);
    }
}
