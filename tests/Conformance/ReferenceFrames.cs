using System.Buffers.Binary;
using System.IO.Compression;

namespace Shockwave.Conformance;

/// <summary>The plainest decoder there can be: it says what is on the wire, so that a difference can be explained.</summary>
internal static class ReferenceFrames
{
    private static ReadOnlySpan<byte> Tail => [0x00, 0x00, 0xFF, 0xFF];

    // A stored block of one octet, and the header of an empty one.
    private static ReadOnlySpan<byte> Marker => [0x00, 0x01, 0x00, 0xFE, 0xFF, 0x5A];

    public static IReadOnlyList<ReferenceFrame> Parse(ReadOnlySpan<byte> stream)
    {
        var frames = new List<ReferenceFrame>();
        int start = 0;
        while (start < stream.Length)
        {
            var rest = stream[start..];
            int length = rest.Length < 2 ? 0 : rest[1] & 0x7F;
            int lengthBytes = length switch { 126 => 2, 127 => 8, _ => 0 };
            int keyBytes = rest.Length >= 2 && rest[1] < 0x80 ? 0 : 4;
            if (rest.Length < 2 + lengthBytes + 4)
            {
                frames.Add(new ReferenceFrame(start, rest[0], 0, [], IsHeaderCut: true));
                break;
            }

            ulong declared = lengthBytes switch
            {
                2 => BinaryPrimitives.ReadUInt16BigEndian(rest[2..]),
                8 => BinaryPrimitives.ReadUInt64BigEndian(rest[2..]),
                _ => (ulong)length,
            };
            int headerBytes = 2 + lengthBytes + keyBytes;
            int there = (int)Math.Min(declared, (ulong)(rest.Length - headerBytes));
            byte[] payload = rest.Slice(headerBytes, there).ToArray();
            for (int i = 0; keyBytes != 0 && i < payload.Length; i++)
            {
                payload[i] ^= rest[headerBytes - 4 + (i & 3)];
            }

            frames.Add(new ReferenceFrame(start, rest[0], declared, payload, IsHeaderCut: false));
            start += headerBytes + there;
        }

        return frames;
    }

    /// <summary>The data messages, the last of which may not be whole.</summary>
    public static IReadOnlyList<IReadOnlyList<ReferenceFrame>> GetMessages(IReadOnlyList<ReferenceFrame> frames)
    {
        var messages = new List<IReadOnlyList<ReferenceFrame>>();
        var current = new List<ReferenceFrame>();
        foreach (var frame in frames.Where(frame => frame.IsData && !frame.IsHeaderCut))
        {
            current.Add(frame);
            if (frame.IsFinal)
            {
                messages.Add(current);
                current = [];
            }
        }

        return current.Count == 0 ? messages : [.. messages, current];
    }

    /// <summary>How the compressed data of these messages, one after the other, ends for plain zlib.</summary>
    public static CompressedEnd FindEnd(IEnumerable<byte[]> payloads)
    {
        var compressed = new MemoryStream();
        foreach (byte[] payload in payloads)
        {
            compressed.Write(payload);
            compressed.Write(Tail);
        }

        compressed.Write(Marker);
        compressed.Position = 0;
        var inflated = new MemoryStream();
        using var deflate = new DeflateStream(compressed, CompressionMode.Decompress);
        try
        {
            deflate.CopyTo(inflated);
        }
        catch (InvalidDataException)
        {
            return CompressedEnd.Corrupt;
        }

        // What stops at a final block never comes to the marker.
        return inflated.Length > 0 && inflated.ToArray()[^1] == Marker[^1] ? CompressedEnd.Open : CompressedEnd.Final;
    }
}
