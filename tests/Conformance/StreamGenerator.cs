using System.Buffers;
using Shockwave.Protocol;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>Streams that are near the protocol: legal frames, damaged, and now and then something special. The random source makes a run repeatable.</summary>
internal sealed class StreamGenerator(Random random)
{
    private static readonly byte[][] _texts =
    [
        [], "a"u8.ToArray(), "Hello"u8.ToArray(), "caf\u00E9 \u20AC \U0001F600"u8.ToArray(), "{\"type\":\"subscribe\",\"topic\":\"a/b/c\"}"u8.ToArray(),
        [0xE2, 0x82], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
    ];

    private static readonly byte[][] _specialPayloads =
    [
        Convert.FromHexString("F348CDC9C9070000"), // RFC 7692 §7.2.3.4, BFINAL
        Convert.FromHexString("F248050000 00FFFFCAC9C90700".Replace(" ", "")), // §7.2.3.5, two blocks
        Convert.FromHexString("0005 00FAFF48656C6C6F00".Replace(" ", "")), // §7.2.3.3, stored
        Convert.FromHexString("F200110000"), // §7.2.3.2, refers to the message before
        Convert.FromHexString("F248CDC9C907"), // truncated
        Convert.FromHexString("F248CDC9C90700000000FFFF"), // the tail was not removed
        Convert.FromHexString("0600"),
        [0x00],
        [],
    ];

    private readonly MessageDeflater _deflater = DeflateProvider.Current.CreateDeflater(level: 1, windowBits: 15, hasContextTakeover: false);
    private readonly ArrayBufferWriter<byte> _compressed = new();

    /// <summary>Makes the next stream.</summary>
    public GeneratedStream Next()
    {
        var extension = (StreamExtension)random.Next(3);
        var bytes = new List<byte>();
        for (int items = random.Next(1, 6); items > 0; items--)
        {
            AddItem(bytes, extension != StreamExtension.None);
        }

        byte[] stream = Damage(bytes);
        int[] chunks = random.Next(3) == 0 ? [stream.Length] : Chunking.Split(stream.Length, random);
        return new GeneratedStream(stream, chunks, extension);
    }

    private void AddItem(List<byte> stream, bool canCompress)
    {
        switch (random.Next(16))
        {
            case 0:
                stream.AddRange(Masked(0x89, Text(125)));
                break;
            case 1:
                stream.AddRange(Masked(0x8A, Text(125)));
                break;
            case 2:
                stream.AddRange(Masked(0x88, ClosePayload()));
                break;
            case 3 when random.Next(40) == 0:
                stream.AddRange(Enumerable.Repeat(Masked(0x00), 70).Prepend(Masked(0x02)).Append(Masked(0x80)).SelectMany(frame => frame));
                break;
            case 4 when random.Next(40) == 0:
                stream.AddRange(Masked(0x82, new byte[DifferentialTests.Limits.MaxMessageBytes + random.Next(3) - 1]));
                break;
            case 5 when random.Next(4) == 0:
                byte[] text = Text(100);
                stream.AddRange([.. Header(0x80 | random.Next(1, 3), (ulong)text.Length, isMasked: true, random.Next(2) == 0 ? 2 : 8), .. Key, .. Mask(text)]);
                break;
            default:
                AddMessage(stream, canCompress && random.Next(2) == 0);
                break;
        }
    }

    private void AddMessage(List<byte> stream, bool isCompressed)
    {
        byte[] payload = Text(random.Next(8) == 0 ? 2000 : 60);
        if (isCompressed)
        {
            payload = random.Next(6) == 0 ? _specialPayloads[random.Next(_specialPayloads.Length)] : Compress(payload);
        }

        int first = (random.Next(4) == 0 ? 0x02 : 0x01) | (isCompressed ? 0x40 : 0);
        for (int fragments = random.Next(3) == 0 ? random.Next(1, 5) : 0; fragments > 0; fragments--)
        {
            int length = random.Next(payload.Length + 1);
            stream.AddRange(Masked(first, payload.AsSpan(0, length)));
            payload = payload[length..];
            first = 0x00;
            if (random.Next(3) == 0)
            {
                stream.AddRange(Masked(random.Next(2) == 0 ? 0x89 : 0x8A, Text(125)));
            }
        }

        stream.AddRange(Masked(0x80 | first, payload));
    }

    // Some hundreds of bytes at most, of texts and of noise.
    private byte[] Text(int most)
    {
        if (random.Next(12) == 0)
        {
            byte[] noise = new byte[random.Next(most + 1)];
            random.NextBytes(noise);
            return noise;
        }

        var text = new List<byte>();
        int wanted = random.Next(most + 1);
        while (text.Count < wanted)
        {
            text.AddRange(_texts[random.Next(random.Next(60) == 0 ? _texts.Length : 5)]);
            text.Add((byte)'.');
        }

        return [.. text.Take(most)];
    }

    private byte[] ClosePayload()
    {
        int[] codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
        return random.Next(8) switch
        {
            0 => [],
            1 => [(byte)random.Next(256)],
            2 => RawFrame.ClosePayload(random.Next(65536), Text(20)),
            3 => RawFrame.ClosePayload(random.Next(995, 1020)),
            _ => RawFrame.ClosePayload(codes[random.Next(codes.Length)], Text(60)),
        };
    }

    private byte[] Compress(byte[] message)
    {
        _compressed.ResetWrittenCount();
        _deflater.Compress(message, _compressed);
        return _compressed.WrittenSpan.ToArray();
    }

    private byte[] Damage(List<byte> stream)
    {
        for (int count = random.Next(3) == 0 ? 0 : random.Next(1, 4); count > 0 && stream.Count > 0; count--)
        {
            int position = random.Next(stream.Count);
            switch (random.Next(8))
            {
                case 0:
                    stream[position] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    stream[position] = (byte)random.Next(256);
                    break;
                case 2:
                    stream.RemoveAt(position);
                    break;
                case 3:
                    stream.Insert(position, (byte)random.Next(256));
                    break;
                case 4:
                    stream.RemoveRange(position, stream.Count - position);
                    break;
                case 5:
                    // Near the start of a frame more often than not.
                    stream[random.Next(Math.Min(2, stream.Count))] ^= (byte)(1 << random.Next(8));
                    break;
                case 6:
                    stream.AddRange(Masked(random.Next(256), Text(10)));
                    break;
                default:
                    stream.AddRange(MaskedHeader(random.Next(256), 1L << random.Next(63)));
                    break;
            }
        }

        return [.. stream];
    }
}
