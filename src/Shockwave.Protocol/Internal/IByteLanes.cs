using System.Runtime.Intrinsics;

namespace Shockwave.Protocol.Internal;

/// <summary>
/// What the kernels need of one vector width. A kernel is written once over <typeparamref name="TVector"/>; the JIT compiles it
/// per width, with every call here inlined to an instruction or two.
/// </summary>
/// <remarks>
/// Loads and stores are unaligned and unchecked: the kernel has proven that <c>offset</c> to <c>offset + Count</c> is inside.
/// Each width also works, slowly, where the hardware lacks it, so that tests can run all of them everywhere.
/// </remarks>
internal interface IByteLanes<TVector>
    where TVector : struct
{
    static abstract nuint Count { get; }

    static abstract TVector Load(ref byte source, nuint offset);

    static abstract void Store(TVector value, ref byte destination, nuint offset);

    static abstract TVector Repeat(uint value);

    static abstract TVector Repeat(byte value);

    static abstract TVector And(TVector left, TVector right);

    static abstract TVector Or(TVector left, TVector right);

    static abstract TVector Xor(TVector left, TVector right);

    static abstract TVector SubtractSaturate(TVector left, TVector right);

    static abstract TVector HighNibbles(TVector value);

    /// <summary>Replaces each index by the byte of <paramref name="table"/> that it names.</summary>
    /// <param name="table">Sixteen bytes.</param>
    /// <param name="indices">0 to 15 each; other values give unspecified bytes.</param>
    static abstract TVector Lookup(Vector128<byte> table, TVector indices);

    static abstract bool IsAscii(TVector value);

    static abstract bool IsZero(TVector value);
}
