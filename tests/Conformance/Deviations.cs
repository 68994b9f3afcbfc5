using Shockwave.Protocol;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>The list. A difference that it does not explain fails the test.</summary>
internal static class Deviations
{
    public static IReadOnlyList<Deviation> All { get; } =
    [
        new("RSV1 on control frames is accepted when deflate is on",
            both => both.Violation == ProtocolViolation.ReservedBits && both.Stream.Extension != StreamExtension.None && WeReadLess(both),
            Compressed(Masked(0xC9, "ping"), Masked(0x81, "on"))),
        new("a length that is not minimal is accepted",
            both => (both.Violation == ProtocolViolation.LengthNotMinimal || IsShortControlFrame(both)) && WeReadLess(both),
            Plain(Header(0x82, 0, isMasked: true, lengthBytes: 2), [.. Key])),
        new("messages have no limit",
            both => (both.Violation == ProtocolViolation.MessageTooBig || both.Violation == ProtocolViolation.FrameTooBig) && WeReadLess(both),
            Plain(Masked(0x82, new byte[DifferentialTests.Limits.MaxMessageBytes + 1]))),
        new("fragments have no limit",
            both => both.Violation == ProtocolViolation.TooManyFragments && WeReadLess(both),
            Plain([Masked(0x01), .. Enumerable.Repeat(Masked(0x00), DifferentialTests.Limits.MaxFragmentsPerMessage), Masked(0x80)])),
        new("text that cannot become UTF-8 is seen late",
            both => both.Violation == ProtocolViolation.InvalidText && both.Theirs.Ending != Ending.Failed && HasSameMessages(both),
            Plain(Masked(0x01, [0xE0, 0x80]))),
        new("text that ends within a code point is accepted when its last fragment is empty",
            both => both.Violation == ProtocolViolation.InvalidText && WeReadLess(both) && both.Theirs.Messages.Count > both.Ours.Messages.Count
                && ReferenceFrames.GetMessages(both.Frames)[both.Ours.Messages.Count] is [.., { IsFinal: true, Payload.Length: 0 }],
            Plain(Masked(0x01, [0xE2, 0x82]), Masked(0x80))),
        new("corrupt compressed data is not answered with a Close frame",
            both => both.Violation == ProtocolViolation.InvalidCompressedData && both.Theirs.Ending == Ending.Failed && WeReadLess(both),
            Compressed(Masked(0xC2, [0x06, 0x00]))),
        new("compressed data that is cut, or has more behind it, is accepted",
            both => both.Violation == ProtocolViolation.InvalidCompressedData && both.Theirs.Ending != Ending.Failed && WeReadLess(both),
            Compressed(Masked(0xC2, Convert.FromHexString("F248CDC9C907")))),
        new("a final block (BFINAL) is refused, although RFC 7692 §7.2.3.4 has one",
            both => IsInflaterOverwhelmed(both) && ReferenceFrames.FindEnd(GetCompressedSoFar(both)) == CompressedEnd.Final,
            Compressed(Masked(0xC1, Convert.FromHexString("F348CDC9C9070000")))),
        new("compressed text is inflated further than it is checked, so that corrupt data hides bad text",
            both => both.Violation == ProtocolViolation.InvalidText && IsInflaterOverwhelmed(both) && ReferenceFrames.FindEnd(GetCompressedSoFar(both)) == CompressedEnd.Corrupt,
            Compressed(Masked(0xC1, [0x00, 0x01, 0x00, 0xFE, 0xFF, 0xC0, 0x06]))),
        new("a compressed message of no octets spoils the next one",
            both => FindEmptyCompressedMessage(both) is >= 0 and var index && index < both.Ours.Messages.Count && HasSameMessages(both, index),
            Of(StreamExtension.DeflateWithContextTakeover, [Masked(0xC1), Masked(0xC1, Convert.FromHexString("F248CDC9C90700"))])),
        new("a close reason that is not UTF-8 is 1002, not 1007",
            both => both.Violation == ProtocolViolation.InvalidCloseReason && IsRefusedWith(both, CloseCode.ProtocolError),
            Plain(Masked(0x88, ClosePayload(1000, 0xFF)))),
        new("a Close frame of one byte is refused before the byte is here",
            both => IsRefusedWith(both, CloseCode.ProtocolError) && both.Ours.Ending == Ending.Incomplete
                && both.Frames[^1] is { First: 0x88, DeclaredLength: 1, Payload.Length: 0 },
            Plain(MaskedHeader(0x88, 1))),
        new("a Close frame without a code is reported as 1000, not 1005",
            both => both.Ours.Ending == Ending.Closed && both.Ours.Code == 1005 && both.Theirs == both.Ours with { Code = 1000 },
            Plain(Masked(0x88))),
        new("a header that is wrong from its first two bytes on is waited for",
            both => both.Ours.Code == 1002 && both.Theirs.Ending == Ending.Incomplete && HasSameMessages(both) && both.Frames[^1].IsHeaderCut,
            Plain([0x83, 0x80])),
    ];

    // Their inflater threw where ours went on.
    private static bool IsInflaterOverwhelmed(Comparison both) =>
        both.Theirs.Ending == Ending.Failed && both.Theirs.IsPrefixOf(both.Ours)
        && (both.Violation != ProtocolViolation.InvalidCompressedData || both.Theirs.Messages.Count < both.Ours.Messages.Count);

    // A length in 16 or 64 bits is over 125 bytes to us, whatever it is.
    private static bool IsShortControlFrame(Comparison both) =>
        both.Violation == ProtocolViolation.ControlFrameTooLong && both.Frames.Last(frame => frame.Start <= both.Run.Consumed).DeclaredLength <= 125;

    private static bool IsRefusedWith(Comparison both, CloseCode code) =>
        both.Theirs.Ending == Ending.Refused && both.Theirs.Code == (int)code && HasSameMessages(both);

    private static bool HasSameMessages(Comparison both) => both.Theirs.Messages.SequenceEqual(both.Ours.Messages);

    private static bool HasSameMessages(Comparison both, int count) =>
        both.Theirs.Messages.Take(count).SequenceEqual(both.Ours.Messages.Take(count));

    // What is left in their inflater is taken for the beginning of whatever comes next.
    private static int FindEmptyCompressedMessage(Comparison both) =>
        ReferenceFrames.GetMessages(both.Frames).ToList().FindIndex(message =>
            (message[0].First & 0x40) != 0 && message[^1].IsFinal && message.All(frame => frame.Payload.Length == 0));

    // The compressed messages up to the one that their reader stopped at: all that its inflater had seen.
    private static IEnumerable<byte[]> GetAllCompressedSoFar(Comparison both) =>
        from message in ReferenceFrames.GetMessages(both.Frames).Take(both.Theirs.Messages.Count + 1)
        where (message[0].First & 0x40) != 0
        select (byte[])[.. message.SelectMany(frame => frame.Payload)];

    // Without context takeover each message begins anew.
    private static IEnumerable<byte[]> GetCompressedSoFar(Comparison both) =>
        both.Stream.Extension == StreamExtension.Deflate ? GetAllCompressedSoFar(both).TakeLast(1) : GetAllCompressedSoFar(both);

    // What we delivered, they did as well; only then may we have been the stricter ones.
    private static bool WeReadLess(Comparison both) => both.Ours.IsPrefixOf(both.Theirs);

    private static GeneratedStream Plain(params byte[][] frames) => Of(StreamExtension.None, frames);

    private static GeneratedStream Compressed(params byte[][] frames) => Of(StreamExtension.Deflate, frames);

    private static GeneratedStream Of(StreamExtension extension, byte[][] frames)
    {
        byte[] bytes = [.. frames.SelectMany(frame => frame)];
        return new GeneratedStream(bytes, [bytes.Length], extension);
    }
}
