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
    private static byte[]? _block;

    [ThreadStatic]
    private static int _used;

    public static uint Next()
    {
        byte[]? block = _block;
        if (block is null || _used == BlockBytes)
        {
            block = _block ??= new byte[BlockBytes];
            RandomNumberGenerator.Fill(block);
            _used = 0;
        }

        uint key = BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(_used));
        _used += sizeof(uint);
        return key;
    }
}
