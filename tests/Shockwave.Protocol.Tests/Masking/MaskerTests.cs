using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Shockwave.Protocol.Internal;
using Shockwave.Testing;

namespace Shockwave.Protocol.Tests;

public sealed class MaskerTests
{
    private const int MaxLength = 4096;
    private const int Alignments = 64;
    private const byte Untouched = 0xA5;

    private static readonly byte[] _keyBytes = [0x37, 0xFA, 0x21, 0x3D];
    private static readonly uint _key = MemoryMarshal.Read<uint>(_keyBytes);
    private static readonly byte[] _payload = CreatePayload();

    // What the payload is when masked, by the words of RFC 6455 §5.3, for each key offset.
    private static readonly byte[][] _masked = [.. Enumerable.Range(0, 4).Select(offset =>
        _payload.Select((value, i) => (byte)(value ^ _keyBytes[(i + offset) % 4])).ToArray())];

    private delegate void MaskKernel(ref byte source, ref byte destination, nuint length, uint key);

    public static TheoryData<string, int> Kernels => new()
    {
        { "Dispatched", 0 },
        { "Scalar", 0 },
        { "Vector128", 16 },
        { "Vector256", 32 },
        { "Vector512", 64 },
    };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void InPlace_EveryLengthAtEveryAlignment_IsMaskedAndNothingElse(string name, int minLength)
    {
        MaskKernel kernel = Kernel(name);
        using var guarded = new GuardedMemory(MaxLength + (2 * Alignments));
        Span<byte> memory = guarded.Span;
        memory.Fill(Untouched);
        for (int length = minLength; length <= MaxLength; length++)
        {
            for (int alignment = 0; alignment < Alignments; alignment++)
            {
                int keyOffset = (length + (alignment >> 2)) & 3;
                Span<byte> payload = memory.Slice(alignment, length);
                _payload.AsSpan(0, length).CopyTo(payload);
                kernel(ref MemoryMarshal.GetReference(payload), ref MemoryMarshal.GetReference(payload), (uint)length, Masker.Rotate(_key, (uint)keyOffset));
                Assert.True(payload.SequenceEqual(_masked[keyOffset].AsSpan(0, length)), $"{length} bytes at {alignment}, key from {keyOffset}");
                Assert.False(memory[..alignment].ContainsAnyExcept(Untouched), $"wrote before {length} bytes at {alignment}");
                Assert.False(memory.Slice(alignment + length, Alignments).ContainsAnyExcept(Untouched), $"wrote after {length} bytes at {alignment}");
                payload.Fill(Untouched);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(MaxLength)]
    public void Copy_WithoutKey_IsThePayloadAndNothingElse(int length)
    {
        byte[] destination = new byte[MaxLength + 1];
        destination.AsSpan().Fill(Untouched);
        Masker.Copy(_payload.AsSpan(0, length), destination);
        Assert.True(destination.AsSpan(0, length).SequenceEqual(_payload.AsSpan(0, length)));
        Assert.False(destination.AsSpan(length).ContainsAnyExcept(Untouched));
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Copy_EveryLengthAtEveryAlignment_IsMaskedAndNothingElse(string name, int minLength)
    {
        MaskKernel kernel = Kernel(name);
        using var guardedSource = new GuardedMemory(MaxLength + Alignments);
        using var guardedDestination = new GuardedMemory(MaxLength + (2 * Alignments));
        Span<byte> memory = guardedDestination.Span;
        memory.Fill(Untouched);
        for (int sourceAlignment = 0; sourceAlignment < Alignments; sourceAlignment++)
        {
            Span<byte> source = guardedSource.Span.Slice(sourceAlignment, MaxLength);
            _payload.CopyTo(source);
            for (int length = minLength; length <= MaxLength; length++)
            {
                // 37 is prime to 64: over the lengths, each source alignment meets each destination alignment.
                int alignment = ((length * 37) + sourceAlignment) % Alignments;
                int keyOffset = (length + (sourceAlignment >> 2)) & 3;
                Span<byte> destination = memory.Slice(alignment, length);
                kernel(ref MemoryMarshal.GetReference(source), ref MemoryMarshal.GetReference(destination), (uint)length, Masker.Rotate(_key, (uint)keyOffset));
                Assert.True(destination.SequenceEqual(_masked[keyOffset].AsSpan(0, length)), $"{length} bytes from {sourceAlignment} to {alignment}");
                Assert.False(memory[..alignment].ContainsAnyExcept(Untouched), $"wrote before {length} bytes at {alignment}");
                Assert.False(memory.Slice(alignment + length, Alignments).ContainsAnyExcept(Untouched), $"wrote after {length} bytes at {alignment}");
                destination.Fill(Untouched);
            }

            Assert.True(source.SequenceEqual(_payload), "the source was changed");
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void EveryLength_UpToTheGuardPage_IsNotOverrun(string name, int minLength)
    {
        MaskKernel kernel = Kernel(name);
        using var guardedSource = new GuardedMemory(MaxLength);
        using var guardedDestination = new GuardedMemory(MaxLength);
        for (int length = minLength; length <= MaxLength; length++)
        {
            Span<byte> source = guardedSource.Last(length);
            Span<byte> destination = guardedDestination.Last(length);
            _payload.AsSpan(0, length).CopyTo(source);
            kernel(ref MemoryMarshal.GetReference(source), ref MemoryMarshal.GetReference(destination), (uint)length, _key);
            Assert.True(destination.SequenceEqual(_masked[0].AsSpan(0, length)));
            kernel(ref MemoryMarshal.GetReference(source), ref MemoryMarshal.GetReference(source), (uint)length, _key);
            Assert.True(source.SequenceEqual(_masked[0].AsSpan(0, length)));
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Copy_ToMemoryThatStartsBeforeTheSource_IsRight(string name, int minLength)
    {
        MaskKernel kernel = Kernel(name);
        var memory = new byte[1200];
        foreach (int length in LengthsNearVectors(1000).Where(length => length >= minLength))
        {
            for (int distance = 1; distance <= 130; distance++)
            {
                Span<byte> source = memory.AsSpan(distance + (length & 7), length);
                Span<byte> destination = memory.AsSpan(length & 7, length);
                _payload.AsSpan(0, length).CopyTo(source);
                kernel(ref MemoryMarshal.GetReference(source), ref MemoryMarshal.GetReference(destination), (uint)length, _key);
                Assert.True(destination.SequenceEqual(_masked[0].AsSpan(0, length)), $"{length} bytes, {distance} before");
            }
        }
    }

    [Fact]
    public void EveryKeyOffset_AlsoNegative_IsTakenModuloFour()
    {
        foreach (int length in LengthsNearVectors(300))
        {
            for (int keyOffset = -9; keyOffset <= 9; keyOffset++)
            {
                AssertMasked(length, keyOffset);
            }

            AssertMasked(length, int.MinValue);
            AssertMasked(length, int.MaxValue);
        }
    }

    [Fact]
    public void PayloadInTwoPieces_WithTheKeyOffsetCarriedOver_EqualsThePayloadInOne()
    {
        for (int cut = 0; cut <= 200; cut++)
        {
            byte[] payload = _payload[..200];
            Masker.Mask(payload.AsSpan(0, cut), _key);
            Masker.Mask(payload.AsSpan(cut), _key, cut);
            Assert.Equal(_masked[0][..200], payload);
        }
    }

    [Fact]
    public void MaskingTwice_GivesThePayloadBack()
    {
        byte[] payload = [.. _payload];
        Masker.Mask(payload, _key, 3);
        Assert.NotEqual(_payload, payload);
        Masker.Mask(payload, _key, 3);
        Assert.Equal(_payload, payload);
    }

    [Fact]
    public void Rfc6455Example_IsUnmaskedToHello()
    {
        byte[] payload = [0x7F, 0x9F, 0x4D, 0x51, 0x58];
        Masker.Mask(payload, _key);
        Assert.Equal("Hello"u8.ToArray(), payload);
    }

    [Fact]
    public void DestinationShorterThanTheSource_IsRefusedBeforeAnythingIsWritten()
    {
        var destination = new byte[99];
        Assert.Throws<ArgumentException>("destination", () => Masker.Mask(_payload.AsSpan(0, 100), destination, _key));
        Assert.Equal(new byte[99], destination);
    }

    [Fact]
    public void DestinationInsideTheSource_IsRefusedBeforeAnythingIsWritten()
    {
        byte[] memory = _payload[..300];
        foreach (int distance in (int[])[1, 4, 32, 99])
        {
            Assert.Throws<ArgumentException>("destination", () => Masker.Mask(memory.AsSpan(0, 100), memory.AsSpan(distance), _key));
            Assert.Equal(_payload[..300], memory);
        }

        Masker.Mask(memory.AsSpan(0, 100), memory.AsSpan(100), _key);
        Assert.Equal(_masked[0][..100], memory[100..200]);
        Assert.Equal(_payload[..100], memory[..100]);
    }

    [Fact]
    public void NoBytes_AreMaskedToNone()
    {
        Masker.Mask([], _key);
        Masker.Mask([], [], _key);
        byte[] memory = [1, 2, 3];
        Masker.Mask(memory.AsSpan(0, 0), memory.AsSpan(2), _key);
        Assert.Equal([1, 2, 3], memory);
    }

    private static void AssertMasked(int length, int keyOffset)
    {
        byte[] expected = _masked[((keyOffset % 4) + 4) % 4][..length];
        byte[] payload = _payload[..length];
        var destination = new byte[length + 3];
        Masker.Mask(payload, destination, _key, keyOffset);
        Assert.Equal(expected, destination[..length]);
        Masker.Mask(payload, _key, keyOffset);
        Assert.Equal(expected, payload);
    }

    private static IEnumerable<int> LengthsNearVectors(int maxLength) =>
        Enumerable.Range(0, maxLength + 1).Where(length => length <= 140 || (length + 3) % 32 <= 6);

    private static MaskKernel Kernel(string name) => name switch
    {
        "Scalar" => MaskerScalar.Mask,
        "Vector128" => MaskerVector<ByteLanes128, Vector128<byte>>.Mask,
        "Vector256" => MaskerVector<ByteLanes256, Vector256<byte>>.Mask,
        "Vector512" => MaskerVector<ByteLanes512, Vector512<byte>>.Mask,
        _ => Dispatched,
    };

    private static void Dispatched(ref byte source, ref byte destination, nuint length, uint key) => Masker.Mask(
        MemoryMarshal.CreateReadOnlySpan(ref source, (int)length), MemoryMarshal.CreateSpan(ref destination, (int)length), key);

    private static byte[] CreatePayload()
    {
        var payload = new byte[MaxLength];
        new Random(6455).NextBytes(payload);
        return payload;
    }
}
