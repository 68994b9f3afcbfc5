using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Shockwave;

/// <summary>Asks the processor for memory that will be used soon. Where it cannot be asked, nothing happens.</summary>
internal static class Prefetch
{
    private const int LineBytes = 64;

    /// <summary>Asks for the first bytes of an object. A collector may move it meanwhile: then the wrong memory is fetched, and no harm done.</summary>
    public static unsafe void Object(object item, int bytes)
    {
        if (Sse.IsSupported)
        {
            byte* start = (byte*)Unsafe.As<object, nint>(ref item);
            for (int offset = 0; offset < bytes; offset += LineBytes)
            {
                Sse.Prefetch0(start + offset);
            }
        }
    }
}
