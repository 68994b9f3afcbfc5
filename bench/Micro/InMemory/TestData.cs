using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>Payloads and frames to feed benchmarks with, the same in every run.</summary>
internal static class TestData
{
    private const uint Key = 0x3D21FA37;

    public static byte[] CreatePayload(int size)
    {
        byte[] payload = new byte[size];
        new Random(6455).NextBytes(payload);
        return payload;
    }

    /// <summary>A whole message in one frame, masked as a client's is.</summary>
    public static byte[] CreateClientFrame(ReadOnlySpan<byte> payload, Opcode opcode = Opcode.Binary)
    {
        using var writer = new FrameWriter(() => Key);
        writer.WriteFrame(opcode, payload);
        return writer.Written.ToArray();
    }

    public static void Check(bool isRight)
    {
        if (!isRight)
        {
            throw new InvalidOperationException("What is to be measured gives a wrong answer.");
        }
    }
}
