using System.Buffers;
using Shockwave.Protocol;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>The table of illegal frames: RFC 6455 §5 to §8, RFC 7692, and the limits.</summary>
internal static class IllegalFrames
{
    private const ulong Huge = 1UL << 40;
    private const CloseCode ProtocolError = CloseCode.ProtocolError;
    private const CloseCode InvalidPayload = CloseCode.InvalidPayloadData;
    private const CloseCode TooBig = CloseCode.MessageTooBig;

    private static readonly int[] _reservedOpcodes = [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF];

    private static readonly (string Name, byte[] Bytes)[] _badTexts =
    [
        ("lone continuation byte", [0x80]),
        ("overlong NUL", [0xC0, 0x80]),
        ("overlong slash", [0xC0, 0xAF]),
        ("overlong two bytes", [0xC1, 0xBF]),
        ("overlong three bytes", [0xE0, 0x9F, 0xBF]),
        ("overlong four bytes", [0xF0, 0x8F, 0xBF, 0xBF]),
        ("high surrogate", [0xED, 0xA0, 0x80]),
        ("low surrogate", [0xED, 0xBF, 0xBF]),
        ("surrogate pair", [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]),
        ("above U+10FFFF", [0xF4, 0x90, 0x80, 0x80]),
        ("lead byte F5", [0xF5, 0x80, 0x80, 0x80]),
        ("lead byte F8", [0xF8, 0x88, 0x80, 0x80, 0x80]),
        ("byte FE", [0xFE]),
        ("byte FF", [0x61, 0xFF, 0x62]),
        ("no continuation of two", [0xC3, 0x28]),
        ("no continuation of three", [0xE2, 0x82, 0x28]),
        ("no continuation of four", [0xF0, 0x9F, 0x98, 0x28]),
        ("bad byte behind 100 good ones", [.. new byte[100], 0xFF]),
    ];

    private static readonly (string Name, byte[] Bytes)[] _cutTexts =
    [
        ("two bytes cut", [0xC3]),
        ("three bytes cut", [0x61, 0xE2, 0x82]),
        ("four bytes cut", [0xF0, 0x9F, 0x98]),
    ];

    /// <summary>Gets every vector.</summary>
    public static IReadOnlyList<IllegalFrame> All { get; } =
    [
        .. Unmasked(), .. ReservedBits(), .. ReservedOpcodes(), .. ControlFrames(), .. Fragments(), .. Lengths(),
        .. Sizes(), .. Closes(), .. Texts(), .. Compressed(),
    ];

    private static IEnumerable<IllegalFrame> Unmasked() =>
    [
        new("text that is not masked", ProtocolError, RawFrame.Unmasked(0x81, "hello")),
        new("binary that is not masked", ProtocolError, RawFrame.Unmasked(0x82, [1])),
        new("empty text that is not masked", ProtocolError, RawFrame.Unmasked(0x81)),
        new("ping that is not masked", ProtocolError, RawFrame.Unmasked(0x89, "hello")),
        new("pong that is not masked", ProtocolError, RawFrame.Unmasked(0x8A)),
        new("close that is not masked", ProtocolError, RawFrame.Unmasked(0x88, ClosePayload(1000))),
        new("continuation that is not masked", ProtocolError, [.. Masked(0x01, "a"), .. RawFrame.Unmasked(0x80, "b")]),
        new("text of 2^40 bytes that is not masked", ProtocolError, Header(0x81, Huge, isMasked: false)),
    ];

    private static IEnumerable<IllegalFrame> ReservedBits() =>
        from bits in (int[])[0x40, 0x20, 0x10, 0x70]
        from isCompressionOn in (bool[])[false, true]
        where !isCompressionOn || bits != 0x40
        let name = $"RSV bits {bits >> 4:X}{(isCompressionOn ? " with compression" : "")}"
        from vector in (IllegalFrame[])
        [
            new($"{name} on text", ProtocolError, Masked(0x81 | bits, "hello"), isCompressionOn),
            new($"{name} on binary of 2^40 bytes", ProtocolError, MaskedHeader(0x82 | bits, (long)Huge), isCompressionOn),
            new($"{name} on a continuation", ProtocolError, [.. Masked(0x01, "a"), .. Masked(0x80 | bits, "b")], isCompressionOn),
            new($"{name} on a ping", ProtocolError, Masked(0x89 | bits, "hello"), isCompressionOn),
            new($"{name} on a pong", ProtocolError, Masked(0x8A | bits), isCompressionOn),
            new($"{name} on a close", ProtocolError, Masked(0x88 | bits, ClosePayload(1000)), isCompressionOn),
        ]
        select vector;

    private static IEnumerable<IllegalFrame> ReservedOpcodes() =>
        from opcode in _reservedOpcodes
        from vector in (IllegalFrame[])
        [
            new($"opcode {opcode:X}", ProtocolError, Masked(0x80 | opcode)),
            new($"opcode {opcode:X} of 2^40 bytes", ProtocolError, MaskedHeader(0x80 | opcode, (long)Huge)),
            new($"opcode {opcode:X} inside a message", ProtocolError, [.. Masked(0x01, "a"), .. Masked(opcode, "b")]),
        ]
        select vector;

    private static IEnumerable<IllegalFrame> ControlFrames() =>
        from control in (int[])[0x8, 0x9, 0xA]
        let name = (Opcode)control
        from vector in (IllegalFrame[])
        [
            new($"{name} of 126 bytes", ProtocolError, Masked(0x80 | control, new byte[126])),
            new($"{name} of 65536 bytes", ProtocolError, MaskedHeader(0x80 | control, 65536)),
            new($"{name} of 2^40 bytes", ProtocolError, MaskedHeader(0x80 | control, (long)Huge)),
            new($"{name} with its length in 16 bits", ProtocolError, [.. Header(0x80 | control, 5, isMasked: true, lengthBytes: 2), .. Key]),
            new($"{name} without FIN", ProtocolError, Masked(control)),
            new($"{name} without FIN, inside a message", ProtocolError, [.. Masked(0x01, "a"), .. Masked(control, "b")]),
        ]
        select vector;

    private static IEnumerable<IllegalFrame> Fragments() =>
    [
        new("continuation of nothing", ProtocolError, Masked(0x80, "a")),
        new("continuation of nothing, not final", ProtocolError, Masked(0x00, "a")),
        new("empty continuation of nothing", ProtocolError, Masked(0x80)),
        new("continuation of nothing, of 2^40 bytes", ProtocolError, MaskedHeader(0x00, (long)Huge)),
        new("continuation behind a ping", ProtocolError, [.. Masked(0x8A), .. Masked(0x80)]),
        new("text inside a text", ProtocolError, [.. Masked(0x01, "a"), .. Masked(0x81, "b")]),
        new("text inside a binary", ProtocolError, [.. Masked(0x02, "a"), .. Masked(0x81, "b")]),
        new("binary inside a text", ProtocolError, [.. Masked(0x01, "a"), .. Masked(0x00, "b"), .. Masked(0x82, "c")]),
        new("first fragment inside a message", ProtocolError, [.. Masked(0x01), .. Masked(0x01)]),
        new("text of 2^40 bytes inside a message", ProtocolError, [.. Masked(0x02, "a"), .. MaskedHeader(0x81, (long)Huge)]),
        new("17 fragments of one byte", CloseCode.PolicyViolation, [.. Masked(0x01, "a"), .. Repeat(16, Masked(0x00, "a"))]),
        new("17 empty fragments", CloseCode.PolicyViolation, [.. Masked(0x02), .. Repeat(15, Masked(0x00)), .. Masked(0x80)]),
    ];

    private static IEnumerable<IllegalFrame> Lengths() =>
    [
        .. from length in (ulong[])[0, 1, 125] select NotMinimal(length, 2),
        .. from length in (ulong[])[0, 125, 126, 65535] select NotMinimal(length, 8),
        .. from length in (ulong[])[1UL << 63, (1UL << 63) + 5, ulong.MaxValue]
           from first in (int[])[0x81, 0x02]
           select new IllegalFrame($"length {length:X} of {first:X2}", ProtocolError, [.. Header(first, length, isMasked: true), .. Key]),
    ];

    private static IEnumerable<IllegalFrame> Sizes() =>
    [
        new("frame one byte too big", TooBig, MaskedHeader(0x82, 2049)),
        new("frame of 64 KiB", TooBig, MaskedHeader(0x82, 65536)),
        new("frame of 2^40 bytes", TooBig, MaskedHeader(0x82, (long)Huge)),
        new("frame of 2^62 bytes", TooBig, MaskedHeader(0x82, 1L << 62)),
        new("frame of 2^63-1 bytes", TooBig, MaskedHeader(0x82, long.MaxValue)),
        new("message one byte too big", TooBig, [.. Masked(0x02, new byte[2048]), .. Masked(0x00, new byte[2048]), .. Masked(0x80, [1])]),
        new("message too big by its last frame", TooBig, [.. Masked(0x02, new byte[2048]), .. Masked(0x00, new byte[2047]), .. MaskedHeader(0x80, 2)]),
        new("fragments whose sum overflows", TooBig, [.. MaskedHeader(0x02, long.MaxValue), .. MaskedHeader(0x00, long.MaxValue)]),
        new("second fragment whose sum overflows", TooBig, [.. Masked(0x02, [1]), .. MaskedHeader(0x00, long.MaxValue)]),
    ];

    private static IEnumerable<IllegalFrame> Closes() =>
    [
        new("close of one byte", ProtocolError, Masked(0x88, [0x03])),
        .. from code in (int[])[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999, 5000, 9999, 32768, 65535]
           select new IllegalFrame($"close with code {code}", ProtocolError, Masked(0x88, ClosePayload(code))),
        new("close with code 1005 and a reason", ProtocolError, Masked(0x88, ClosePayload(1005, "why"u8))),
        .. from text in (IEnumerable<(string Name, byte[] Bytes)>)[.. _badTexts, .. _cutTexts]
           select new IllegalFrame($"close reason: {text.Name}", InvalidPayload, Masked(0x88, ClosePayload(1000, text.Bytes))),
        new("close inside a message, with a bad code", ProtocolError, [.. Masked(0x01, "a"), .. Masked(0x88, ClosePayload(1006))]),
    ];

    private static IEnumerable<IllegalFrame> Texts() =>
    [
        .. from text in _badTexts
           from vector in (IllegalFrame[])
           [
               new($"text: {text.Name}", InvalidPayload, Masked(0x81, text.Bytes)),
               new($"first fragment: {text.Name}", InvalidPayload, Masked(0x01, text.Bytes)),
               new($"frame that never ends: {text.Name}", InvalidPayload, [.. MaskedHeader(0x81, 2048), .. Mask(text.Bytes)]),
               new($"over fragments: {text.Name}", InvalidPayload, [.. Masked(0x01, text.Bytes.AsSpan(0, 1)), .. Masked(0x8A), .. Masked(0x80, text.Bytes.AsSpan(1))]),
           ]
           select vector,
        .. from text in _cutTexts
           from vector in (IllegalFrame[])
           [
               new($"text: {text.Name}", InvalidPayload, Masked(0x81, text.Bytes)),
               new($"last fragment: {text.Name}", InvalidPayload, [.. Masked(0x01, "ok"), .. Masked(0x80, text.Bytes)]),
               new($"empty last fragment: {text.Name}", InvalidPayload, [.. Masked(0x01, text.Bytes), .. Masked(0x80)]),
           ]
           select vector,
    ];

    private static IEnumerable<IllegalFrame> Compressed() =>
    [
        .. from first in (int[])[0xC8, 0xC9, 0xCA, 0xC0, 0x40]
           select new IllegalFrame($"RSV1 on {first:X2} with compression", ProtocolError, Masked(first), IsCompressionOn: true),
        new("RSV1 on a continuation of a compressed message", ProtocolError, [.. Masked(0x41, Hex("f248")), .. Masked(0xC0, Hex("cdc9c90700"))], IsCompressionOn: true),
        Corrupt("block of type 3", "0600"),
        Corrupt("random bytes", "deadbeefcafebabe"),
        Corrupt("stored block whose lengths differ", "000500fafe48656c6c6f00"),
        Corrupt("reference before the beginning", "f200110000"),
        Corrupt("dynamic block with too many codes", "fcffffffffffffff"),
        Corrupt("truncated block", "f248cdc9c907"),
        Corrupt("truncated stored block", "000500faff48"),
        Corrupt("final block and nothing behind", "f348cdc9c90700"),
        Corrupt("data behind a final block", "f348cdc9c9070006"),
        Corrupt("tail behind a final block", "f348cdc9c90700000000ffff"),
        Corrupt("tail that was not removed", "f248cdc9c907000000ffff"),
        new("compressed data corrupt in the first fragment", InvalidPayload, Masked(0x41, Hex("06")), IsCompressionOn: true),
        new("bomb", TooBig, Masked(0xC2, Deflate(new byte[1 << 20])), IsCompressionOn: true),
        new("inflated one byte too big", TooBig, Masked(0xC2, Deflate(new byte[4097])), IsCompressionOn: true),
        new("bomb in fragments", TooBig, Cut(Deflate(new byte[100_000]), 10), IsCompressionOn: true),
        new("bomb that is corrupt behind the limit", TooBig, Masked(0xC2, [.. Deflate(new byte[4097]), 0x00, 0x00, 0xFF, 0xFF, 0x06]), IsCompressionOn: true),
        new("compressed text that is not UTF-8", InvalidPayload, Masked(0xC1, Deflate([0x61, 0xFF])), IsCompressionOn: true),
        new("compressed text that is cut", InvalidPayload, Masked(0xC1, Deflate([0x61, 0xE2, 0x82])), IsCompressionOn: true),
        new("plain text that is not UTF-8, with compression", InvalidPayload, Masked(0x81, [0xFF]), IsCompressionOn: true),
    ];

    private static IllegalFrame NotMinimal(ulong length, int lengthBytes) => new(
        $"length {length} in {lengthBytes} bytes", ProtocolError, [.. Header(0x82, length, isMasked: true, lengthBytes), .. Key]);

    private static IllegalFrame Corrupt(string name, string hex) =>
        new($"compressed: {name}", InvalidPayload, Masked(0xC2, Hex(hex)), IsCompressionOn: true);

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);

    private static IEnumerable<byte> Repeat(int count, byte[] frame) => Enumerable.Repeat(frame, count).SelectMany(bytes => bytes);

    private static byte[] Cut(byte[] payload, int fragments)
    {
        int length = payload.Length / fragments;
        var frames = Enumerable.Range(0, fragments).Select(i =>
            Masked((i == 0 ? 0x42 : 0x00) | (i == fragments - 1 ? 0x80 : 0), i == fragments - 1 ? payload.AsSpan(i * length) : payload.AsSpan(i * length, length)));
        return [.. frames.SelectMany(frame => frame)];
    }

    private static byte[] Deflate(byte[] message)
    {
        using var deflater = DeflateProvider.Current.CreateDeflater(level: 9, windowBits: 15, hasContextTakeover: false);
        var output = new ArrayBufferWriter<byte>();
        deflater.Compress(message, output);
        return output.WrittenSpan.ToArray();
    }
}
