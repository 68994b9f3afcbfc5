namespace Shockwave.Engine.Tests;

/// <summary>The bytes of one direction of one connection: whoever knows the place knows the byte, and a foreign one shows.</summary>
internal readonly struct Pattern(int id)
{
    /// <summary>The most bytes that one call gives.</summary>
    public const int MaxCount = 1 << 18;

    private static readonly byte[] _bytes = Create();

    public ReadOnlySpan<byte> At(long offset, int count) => _bytes.AsSpan((int)(((id * 7919L) + offset) & (MaxCount - 1)), count);

    private static byte[] Create()
    {
        byte[] bytes = new byte[2 * MaxCount];
        new Random(1).NextBytes(bytes.AsSpan(0, MaxCount));
        bytes.AsSpan(0, MaxCount).CopyTo(bytes.AsSpan(MaxCount));
        return bytes;
    }
}
