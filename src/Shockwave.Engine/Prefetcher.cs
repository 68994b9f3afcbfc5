using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Shockwave.Engine;

/// <summary>Asks the processor for an object's memory before it is used. A hint: wrong or late, it changes nothing but the time taken.</summary>
internal static unsafe class Prefetcher
{
    private const int LineBytes = 64;

    /// <summary>Loads the line that a number is in. Does nothing where the processor has no such instruction in .NET.</summary>
    public static void Load(ref int target)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref target));
        }
    }

    /// <summary>Loads the beginning of an object. Does nothing where the processor has no such instruction in .NET.</summary>
    public static void Load(object? target, int bytes)
    {
        if (!Sse.IsSupported || target is null)
        {
            return;
        }

        // The collector may move the object at any time; then the hint is wrong, and a prefetch never faults.
        byte* address = *(byte**)Unsafe.AsPointer(ref target);
        for (int offset = 0; offset < bytes; offset += LineBytes)
        {
            Sse.Prefetch0(address + offset);
        }
    }
}
