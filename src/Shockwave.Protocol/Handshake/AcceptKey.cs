using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Shockwave.Protocol;

/// <summary>The proof that the peer speaks WebSocket: Sec-WebSocket-Key and the Sec-WebSocket-Accept that answers it (RFC 6455 §1.3).</summary>
/// <remarks>Stateless; safe from any thread. Not a secret: it keeps caches and other protocols out, not attackers.</remarks>
public static class AcceptKey
{
    /// <summary>The random bytes in a key.</summary>
    public const int NonceBytes = 16;

    /// <summary>The characters of a key, which is base64.</summary>
    public const int KeyLength = 24;

    /// <summary>The characters of a Sec-WebSocket-Accept value, which is base64.</summary>
    public const int AcceptLength = 28;

    private static readonly SearchValues<char> _base64Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    // RFC 6455 §1.3 appends this GUID to the key.
    private static ReadOnlySpan<byte> Guid => "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;

    /// <summary>Creates a client's key.</summary>
    /// <param name="nonce">16 bytes from a cryptographic random source, new for each connection (RFC 6455 §4.1).</param>
    /// <returns>The Sec-WebSocket-Key value, 24 characters.</returns>
    /// <exception cref="ArgumentException"><paramref name="nonce"/> is not 16 bytes long.</exception>
    public static string CreateKey(ReadOnlySpan<byte> nonce)
    {
        if (nonce.Length != NonceBytes)
        {
            throw new ArgumentException("A key is made from 16 random bytes.", nameof(nonce));
        }

        return Convert.ToBase64String(nonce);
    }

    /// <summary>Tells whether a Sec-WebSocket-Key is the base64 of 16 bytes (RFC 6455 §4.2.1).</summary>
    /// <param name="key">The header's value.</param>
    /// <returns>Whether it is what an encoder would write: no white space, and no bits set beside the 16 bytes. Never throws.</returns>
    public static bool IsKey(ReadOnlySpan<char> key) =>
        key.Length == KeyLength
        && key.EndsWith("==")
        && !key[..(KeyLength - 2)].ContainsAnyExcept(_base64Characters)
        // 22 characters carry 132 bits, 4 more than 16 bytes have: the last character must leave them 0.
        && "AQgw".Contains(key[KeyLength - 3]);

    /// <summary>Computes the Sec-WebSocket-Accept that answers <paramref name="key"/>, without allocating.</summary>
    /// <param name="key">A key for which <see cref="IsKey"/> holds.</param>
    /// <param name="destination">Gets 28 ASCII characters; at least that long.</param>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not a key, or <paramref name="destination"/> is too short.</exception>
    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 §4.2.2 prescribes SHA-1; nothing here rests on its strength.")]
    public static void Compute(ReadOnlySpan<char> key, Span<byte> destination)
    {
        if (!IsKey(key))
        {
            throw new ArgumentException("Not the base64 of 16 bytes.", nameof(key));
        }

        if (destination.Length < AcceptLength)
        {
            throw new ArgumentException("Sec-WebSocket-Accept needs 28 bytes.", nameof(destination));
        }

        Span<byte> proof = stackalloc byte[KeyLength + Guid.Length];
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        Encoding.ASCII.GetBytes(key, proof);
        Guid.CopyTo(proof[KeyLength..]);
        SHA1.HashData(proof, hash);
        Base64.EncodeToUtf8(hash, destination, out _, out _);
    }

    /// <summary>Computes the Sec-WebSocket-Accept that answers <paramref name="key"/>.</summary>
    /// <param name="key">A key for which <see cref="IsKey"/> holds.</param>
    /// <returns>28 characters.</returns>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not a key.</exception>
    public static string Compute(ReadOnlySpan<char> key)
    {
        Span<byte> accept = stackalloc byte[AcceptLength];
        Compute(key, accept);
        return Encoding.ASCII.GetString(accept);
    }

    /// <summary>Tells whether a server answered <paramref name="key"/> with the right Sec-WebSocket-Accept.</summary>
    /// <param name="key">The key that the client sent, from <see cref="CreateKey"/>.</param>
    /// <param name="accept">What the server answered: anything.</param>
    /// <returns>Whether the two belong together, the case included.</returns>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not a key.</exception>
    public static bool Matches(ReadOnlySpan<char> key, ReadOnlySpan<char> accept)
    {
        Span<byte> expected = stackalloc byte[AcceptLength];
        Compute(key, expected);
        return Ascii.Equals(expected, accept);
    }
}
