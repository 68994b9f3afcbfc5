using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Shockwave.Protocol.Internal;

namespace Shockwave.Protocol;

/// <summary>
/// Checks that a text message is UTF-8 (RFC 6455 §8.1, RFC 3629), however its bytes are cut into chunks. One byte of state.
/// </summary>
/// <remarks>
/// A mutable value: keep it in a field that is not <see langword="readonly"/>; a copy goes its own way. Not safe from several threads.
/// The default value is ready for use.
/// </remarks>
public struct Utf8Validator
{
    private byte _state;

    /// <summary>Gets whether the text so far is valid and ends with a whole code point; true before the first byte.</summary>
    public readonly bool IsComplete => _state == Utf8Automaton.Accept;

    /// <summary>Checks whether <paramref name="text"/> is a whole, valid text.</summary>
    /// <param name="text">Any number of bytes; none are valid.</param>
    /// <returns>Whether every code point is valid and the last one complete.</returns>
    public static bool IsValid(ReadOnlySpan<byte> text) =>
        Advance(Utf8Automaton.Accept, ref MemoryMarshal.GetReference(text), (uint)text.Length) == Utf8Automaton.Accept;

    /// <summary>Checks the next bytes of the text.</summary>
    /// <param name="chunk">Any number of bytes; only looked at during the call.</param>
    /// <returns>
    /// <see langword="false"/> as soon as no continuation could make the text valid, such as after <c>E0 80</c>, and from then on;
    /// the answer does not depend on how the bytes were cut into chunks.
    /// </returns>
    public bool Append(ReadOnlySpan<byte> chunk)
    {
        _state = Advance(_state, ref MemoryMarshal.GetReference(chunk), (uint)chunk.Length);
        return _state != Utf8Automaton.Reject;
    }

    /// <summary>Forgets the text: the next chunk starts another one.</summary>
    public void Reset() => _state = Utf8Automaton.Accept;

    private static byte Advance(byte state, ref byte source, nuint length)
    {
        // The kernels start at a code point: first complete the one under way, with three bytes at most.
        for (; state != Utf8Automaton.Accept; length--, source = ref Unsafe.Add(ref source, 1))
        {
            if (length == 0 || state == Utf8Automaton.Reject)
            {
                return state;
            }

            state = Utf8Automaton.Run(state, ref source, 1);
        }

        if (!ProtocolKernels.IsSimdEnabled || length < Utf8Vector<ByteLanes128, Vector128<byte>>.MinLength)
        {
            return Utf8Automaton.RunLong(state, ref source, length);
        }

        if (Vector512.IsHardwareAccelerated && length >= Utf8Vector<ByteLanes512, Vector512<byte>>.MinLength)
        {
            return Utf8Vector<ByteLanes512, Vector512<byte>>.Validate(ref source, length);
        }

        if (Vector256.IsHardwareAccelerated && length >= Utf8Vector<ByteLanes256, Vector256<byte>>.MinLength)
        {
            return Utf8Vector<ByteLanes256, Vector256<byte>>.Validate(ref source, length);
        }

        return Utf8Vector<ByteLanes128, Vector128<byte>>.Validate(ref source, length);
    }
}
