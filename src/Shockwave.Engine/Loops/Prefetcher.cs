using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Shockwave.Engine;

/// <summary>Asks the processor for an object's memory before it is used. A hint: wrong or late, it changes nothing but the time taken.</summary>
internal static unsafe class Prefetcher
{
    private const int LineBytes = 64;
    private const int Lines = 4;

    /// <summary>Loads the first 256 bytes of an object. Does nothing where the processor has no such instruction in .NET.</summary>
    public static void Load(object? target)
    {
        if (!Sse.IsSupported || target is null)
        {
            return;
        }

        // The collector may move the object at any time; then the hint is wrong, and a prefetch never faults.
        byte* address = *(byte**)Unsafe.AsPointer(ref target);
        for (int i = 0; i < Lines; i++)
        {
            Sse.Prefetch0(address + (i * LineBytes));
        }
    }
}
