using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Shockwave;

/// <summary>Masking keys for a client's frames. Any thread.</summary>
/// <remarks>
/// RFC 6455 §5.3: the key "MUST be derived from a strong source of entropy", so that a page cannot choose the bytes on the wire. The
/// generator is asked for many keys at once, since a call costs far more than four bytes.
/// </remarks>
internal static class MaskingKeys
{
    private const int BlockBytes = 1024;

    [ThreadStatic]
    private static byte[]? t_block;

    [ThreadStatic]
    private static int t_used;

    public static uint Next()
    {
        byte[]? block = t_block;
        if (block is null || t_used == BlockBytes)
        {
            block = t_block ??= new byte[BlockBytes];
            RandomNumberGenerator.Fill(block);
            t_used = 0;
        }

        uint key = BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(t_used));
        t_used += sizeof(uint);
        return key;
    }
}
