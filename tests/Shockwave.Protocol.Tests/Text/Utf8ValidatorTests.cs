using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;
using Shockwave.Protocol.Internal;
using Shockwave.Testing;

namespace Shockwave.Protocol.Tests;

public sealed class Utf8ValidatorTests
{
    // Each end of each range in the Unicode standard's table 3-7, and the bytes next to it.
    private static readonly byte[] _boundaries =
    [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ];

    // Whatever is under way can be completed by one of these, or by nothing.
    private static readonly byte[][] _completions =
    [
        [], [0x80], [0x90], [0xA0], [0x80, 0x80], [0x90, 0x80], [0xA0, 0x80], [0x80, 0x80, 0x80], [0x90, 0x80, 0x80], [0xA0, 0x80, 0x80],
    ];

    private delegate byte Utf8Kernel(ref byte source, nuint length);

    public static TheoryData<string, int> Kernels => new()
    {
        { "Scalar", 0 },
        { "Vector128", 19 },
        { "Vector256", 35 },
        { "Vector512", 67 },
    };

    [Fact]
    public void EveryOneTwoAndThreeByteSequence_SplitAnywhere_IsJudgedAtTheFirstImpossibleByte()
    {
        Parallel.For(0, 256, first =>
        {
            Span<byte> sequence = [(byte)first, 0, 0];
            AssertEverySplit(sequence[..1]);
            for (int second = 0; second < 256; second++)
            {
                sequence[1] = (byte)second;
                AssertEverySplit(sequence[..2]);
                bool canContinue = CanBecomeValid(sequence[..2]);
                for (int third = 0; third < 256; third++)
                {
                    sequence[2] = (byte)third;
                    if (canContinue)
                    {
                        AssertEverySplit(sequence);
                    }
                    else
                    {
                        AssertRefused(sequence);
                    }
                }
            }
        });
    }

    [Fact]
    public void EveryLeadByteWithBoundaryBytes_SplitAnywhere_IsJudgedAtTheFirstImpossibleByte()
    {
        Parallel.For(0, 256, first =>
        {
            Span<byte> sequence = [(byte)first, 0, 0, 0];
            foreach (byte second in _boundaries)
            {
                sequence[1] = second;
                foreach (byte third in _boundaries)
                {
                    sequence[2] = third;
                    bool canContinue = CanBecomeValid(sequence[..3]);
                    foreach (byte fourth in _boundaries)
                    {
                        sequence[3] = fourth;
                        if (canContinue)
                        {
                            AssertEverySplit(sequence);
                        }
                        else
                        {
                            AssertRefused(sequence);
                        }
                    }
                }
            }
        });
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void BoundarySequences_AnywhereInLongText_AreJudgedAsByTheReference(string name, int minLength)
    {
        Utf8Kernel kernel = Kernel(name);
        byte[] ascii = [.. Enumerable.Repeat((byte)'a', 700)];
        byte[] mixed = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("é日😀x", 70)));
        int count = 0;
        foreach (byte first in _boundaries)
        {
            foreach (byte second in _boundaries)
            {
                foreach (byte third in _boundaries)
                {
                    // All fourth bytes only where there can be one; elsewhere it is the text that goes on.
                    foreach (byte fourth in first >= 0xF0 ? _boundaries : [(byte)'z'])
                    {
                        int offset = count++ % 300;
                        AssertEmbedded(kernel, minLength, ascii, offset, [first, second, third, fourth]);
                        AssertEmbedded(kernel, minLength, mixed, offset / 10 * 10, [first, second, third, fourth]);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void RandomTexts_DamagedOrNot_AreJudgedAsByTheScalarTwin(string name, int minLength)
    {
        Utf8Kernel kernel = Kernel(name);
        var random = new Random(3629);
        for (int round = 0; round < 6000; round++)
        {
            byte[] text = RandomText(random, minLength, minLength + random.Next(900));
            byte expected = Utf8Automaton.Run(Utf8Automaton.Accept, ref MemoryMarshal.GetArrayDataReference(text), (uint)text.Length);
            Assert.Equal(expected, kernel(ref MemoryMarshal.GetArrayDataReference(text), (uint)text.Length));
            Assert.Equal(CanBecomeValid(text), expected != Utf8Automaton.Reject);
            Assert.Equal(Utf8.IsValid(text), expected == Utf8Automaton.Accept);
        }
    }

    [Fact]
    public void RandomTexts_InRandomChunks_AreJudgedAfterEachChunkAsByTheReference()
    {
        var random = new Random(6455);
        for (int round = 0; round < 3000; round++)
        {
            byte[] text = RandomText(random, 0, random.Next(700));
            int maxChunk = random.Next(1, 300);
            var validator = default(Utf8Validator);
            for (int position = 0; position < text.Length;)
            {
                int length = Math.Min(random.Next(maxChunk + 1), text.Length - position);
                bool canBecomeValid = validator.Append(text.AsSpan(position, length));
                position += length;
                Assert.Equal(CanBecomeValid(text.AsSpan(0, position)), canBecomeValid);
                Assert.Equal(Utf8.IsValid(text.AsSpan(0, position)), validator.IsComplete);
            }

            Assert.Equal(Utf8.IsValid(text), Utf8Validator.IsValid(text));
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void EveryLength_AtTheGuardPages_IsNotReadBeyond(string name, int minLength)
    {
        Utf8Kernel kernel = Kernel(name);
        using var guarded = new GuardedMemory(2000);
        byte[][] texts =
        [
            [.. Enumerable.Repeat((byte)'a', 1200)],
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("日", 400))),
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a long run of plain text and then é😀 ", 40))),
        ];
        foreach (byte[] text in texts)
        {
            for (int length = minLength; length <= 1200; length++)
            {
                ReadOnlySpan<byte> part = text.AsSpan(0, length);
                byte expected = Utf8Automaton.Run(Utf8Automaton.Accept, ref MemoryMarshal.GetReference(part), (uint)length);
                Span<byte> first = guarded.Span[..length];
                part.CopyTo(first);
                Assert.Equal(expected, kernel(ref MemoryMarshal.GetReference(first), (uint)length));
                Span<byte> last = guarded.Last(length);
                part.CopyTo(last);
                Assert.Equal(expected, kernel(ref MemoryMarshal.GetReference(last), (uint)length));
                Assert.Equal(expected == Utf8Automaton.Accept, Utf8Validator.IsValid(last));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void CodePointCutShortByAscii_AtEveryPosition_IsRefused(string name, int minLength)
    {
        Utf8Kernel kernel = Kernel(name);
        foreach (byte[] cut in (byte[][])[[0xC3], [0xE6, 0x97], [0xF0, 0x9F, 0x98]])
        {
            for (int position = 0; position < 600; position++)
            {
                byte[] text = [.. Enumerable.Repeat((byte)'a', position), .. cut, .. Enumerable.Repeat((byte)'a', 1200)];

                // So much ASCII after it that each of the kernel's loops, and what follows them, gets to see it alone.
                foreach (int after in (int[])[1, 20, 40, 70, 130, 200, 300, 600, 1200])
                {
                    int length = Math.Max(minLength, position + cut.Length + after);
                    Assert.Equal(Utf8Automaton.Reject, kernel(ref text[0], (uint)length));
                }
            }
        }
    }

    [Theory]
    [InlineData("E0 80")]
    [InlineData("E0 9F")]
    [InlineData("ED A0")]
    [InlineData("F0 8F")]
    [InlineData("F4 90")]
    [InlineData("C0")]
    [InlineData("C1")]
    [InlineData("F5")]
    [InlineData("FF")]
    [InlineData("80")]
    public void ImpossibleByteAtTheEndOfAChunk_IsRefusedWithoutWaitingForMore(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex.Replace(" ", ""));
        for (int before = 0; before <= 300; before++)
        {
            byte[] chunk = [.. Enumerable.Repeat((byte)'a', before), .. bytes];
            var validator = default(Utf8Validator);
            Assert.False(validator.Append(chunk));

            validator.Reset();
            Assert.True(validator.Append(chunk.AsSpan(0, before)));
            Assert.True(validator.IsComplete);
            Assert.True(bytes.Length == 1 || (validator.Append(bytes.AsSpan(0, 1)) && !validator.IsComplete));
            Assert.False(validator.Append(bytes.AsSpan(bytes.Length - 1)));
        }
    }

    [Fact]
    public void Refusal_StaysUntilReset()
    {
        var validator = default(Utf8Validator);
        Assert.False(validator.Append([0xFF]));
        Assert.False(validator.Append([]));
        Assert.False(validator.Append("valid again"u8));
        Assert.False(validator.Append(new byte[1000]));
        Assert.False(validator.IsComplete);
        validator.Reset();
        Assert.True(validator.IsComplete);
        Assert.True(validator.Append("é"u8));
        Assert.True(validator.IsComplete);
    }

    [Fact]
    public void EmptyText_IsValid()
    {
        var validator = default(Utf8Validator);
        Assert.True(validator.IsComplete);
        Assert.True(validator.Append([]));
        Assert.True(validator.IsComplete);
        Assert.True(Utf8Validator.IsValid([]));
    }

    [Fact]
    public void EmptyChunkInsideACodePoint_ChangesNothing()
    {
        var validator = default(Utf8Validator);
        Assert.True(validator.Append([0xF0, 0x9F]));
        Assert.True(validator.Append([]));
        Assert.False(validator.IsComplete);
        Assert.True(validator.Append([0x98, 0x80]));
        Assert.True(validator.IsComplete);
    }

    // A prefix is impossible exactly when none of the completions makes it valid.
    private static bool CanBecomeValid(ReadOnlySpan<byte> prefix)
    {
        Span<byte> text = stackalloc byte[prefix.Length + 3];
        prefix.CopyTo(text);
        foreach (byte[] completion in _completions)
        {
            completion.CopyTo(text[prefix.Length..]);
            if (Utf8.IsValid(text[..(prefix.Length + completion.Length)]))
            {
                return true;
            }
        }

        return false;
    }

    private static void AssertEverySplit(ReadOnlySpan<byte> sequence)
    {
        bool canBecomeValid = CanBecomeValid(sequence);
        bool isValid = Utf8.IsValid(sequence);
        bool agrees = Utf8Validator.IsValid(sequence) == isValid;
        for (int splits = 0; splits < 1 << (sequence.Length - 1); splits++)
        {
            var validator = default(Utf8Validator);
            int start = 0;
            bool answer = true;
            for (int end = 1; end <= sequence.Length; end++)
            {
                if (end == sequence.Length || (splits & (1 << (end - 1))) != 0)
                {
                    answer = validator.Append(sequence[start..end]);
                    start = end;
                }
            }

            agrees &= answer == canBecomeValid && validator.IsComplete == isValid;
        }

        // One assertion for millions of cases: Assert.Equal would cost more than what it checks.
        if (!agrees)
        {
            Assert.Fail(Convert.ToHexString(sequence));
        }
    }

    private static void AssertRefused(ReadOnlySpan<byte> sequence)
    {
        var split = default(Utf8Validator);
        bool isRefused = !split.Append(sequence[..^1]) && !split.Append(sequence[^1..]);
        if (!isRefused || Utf8Validator.IsValid(sequence) || Utf8.IsValid(sequence))
        {
            Assert.Fail(Convert.ToHexString(sequence));
        }
    }

    private static void AssertEmbedded(Utf8Kernel kernel, int minLength, byte[] background, int offset, ReadOnlySpan<byte> sequence)
    {
        Span<byte> text = stackalloc byte[offset + sequence.Length + 250];
        background.AsSpan(0, offset).CopyTo(text);
        sequence.CopyTo(text[offset..]);
        background.AsSpan(0, 250).CopyTo(text[(offset + sequence.Length)..]);
        text[^1] = (byte)'.';
        bool isValid = CanBecomeValid(text);
        Assert.Equal(isValid, kernel(ref text[0], (uint)text.Length) == Utf8Automaton.Accept);
        for (int length = Math.Max(offset + 1, minLength); length <= offset + sequence.Length; length++)
        {
            byte state = kernel(ref text[0], (uint)length);
            Assert.Equal(CanBecomeValid(text[..length]), state != Utf8Automaton.Reject);
            Assert.Equal(Utf8.IsValid(text[..length]), state == Utf8Automaton.Accept);
        }
    }

    // Runs of one kind each, so that every loop of the kernels is entered and left; in half of the texts a byte or two is wrong.
    private static byte[] RandomText(Random random, int minLength, int length)
    {
        var text = new List<byte>();
        while (text.Count < length)
        {
            (int first, int last) = random.Next(5) switch
            {
                0 => (0x80, 0x7FF),
                1 => (0x800, 0xD7FF),
                2 => (0xE000, 0xFFFF),
                3 => (0x10000, 0x10FFFF),
                _ => (0x00, 0x7F),
            };
            for (int run = random.Next(random.Next(2) == 0 ? 4 : 300); run >= 0; run--)
            {
                text.AddRange(Encoding.UTF8.GetBytes(new Rune(random.Next(first, last + 1)).ToString()));
            }
        }

        byte[] bytes = [.. text[..Math.Max(length, minLength)]];
        for (int damage = random.Next(-2, 3); damage > 0 && bytes.Length > 0; damage--)
        {
            bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : _boundaries[random.Next(_boundaries.Length)];
        }

        return bytes;
    }

    private static Utf8Kernel Kernel(string name) => name switch
    {
        "Vector128" => Utf8Vector<ByteLanes128, Vector128<byte>>.Validate,
        "Vector256" => Utf8Vector<ByteLanes256, Vector256<byte>>.Validate,
        "Vector512" => Utf8Vector<ByteLanes512, Vector512<byte>>.Validate,
        _ => (ref byte source, nuint length) => Utf8Automaton.RunLong(Utf8Automaton.Accept, ref source, length),
    };
}
