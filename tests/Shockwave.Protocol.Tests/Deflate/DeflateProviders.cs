using System.Buffers;
using System.Text;

namespace Shockwave.Protocol.Tests;

// What the deflate tests share: both providers, and messages there and back.
internal static class DeflateProviders
{
    public const string Native = nameof(Native);
    public const string Managed = nameof(Managed);

    public static TheoryData<string> Both => [Native, Managed];

    public static DeflateProvider Get(string name) => name == Native ? new NativeZlib() : new ManagedZlib("test");

    public static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", ""));

    public static byte[] Compress(this MessageDeflater deflater, ReadOnlySpan<byte> message)
    {
        var output = new ArrayBufferWriter<byte>();
        deflater.Compress(message, output);
        return output.WrittenSpan.ToArray();
    }

    // Null for a message that is refused.
    public static byte[]? Inflate(this MessageInflater inflater, ReadOnlySpan<byte> payload, int sourceBytes = int.MaxValue, int destinationBytes = 4096)
    {
        var message = new ArrayBufferWriter<byte>();
        var destination = new byte[destinationBytes];
        while (true)
        {
            int length = Math.Min(sourceBytes, payload.Length);
            bool isFinal = length == payload.Length;
            var status = inflater.Inflate(payload[..length], destination, isFinal, out int consumed, out int written);
            Assert.InRange(consumed, 0, length);
            Assert.InRange(written, 0, destinationBytes);
            message.Write(destination.AsSpan(0, written));
            payload = payload[consumed..];
            switch (status)
            {
                case OperationStatus.Done:
                    Assert.True(isFinal);
                    Assert.True(payload.IsEmpty);
                    return message.WrittenSpan.ToArray();
                case OperationStatus.InvalidData:
                    return null;
                case OperationStatus.NeedMoreData:
                    Assert.False(isFinal);
                    Assert.Equal(length, consumed);
                    break;
                default:
                    Assert.Equal(OperationStatus.DestinationTooSmall, status);
                    Assert.Equal(destinationBytes, written);
                    break;
            }
        }
    }

    public static string? InflateText(this MessageInflater inflater, string payload) =>
        inflater.Inflate(Hex(payload)) is { } message ? Encoding.UTF8.GetString(message) : null;

    // What a call costs once everything is warm: the best of several rounds, as a code coverage tool allocates now and then.
    public static long AllocatedBytes(Action call)
    {
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                call();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    // Texts, runs and noise, whose matches reach over every distance up to the message's length.
    public static byte[] CreateMessage(Random random, int length)
    {
        var message = new byte[length];
        int position = 0;
        while (position < length)
        {
            int run = Math.Min(random.Next(1, 300), length - position);
            Span<byte> part = message.AsSpan(position, run);
            switch (random.Next(4))
            {
                case 0:
                    random.NextBytes(part);
                    break;
                case 1:
                    part.Fill((byte)random.Next(256));
                    break;
                case 2 when position > run:
                    message.AsSpan(random.Next(position - run), run).CopyTo(part);
                    break;
                default:
                    random.GetItems<byte>("abcdefgh {}\":,0123456789"u8, part);
                    break;
            }

            position += run;
        }

        return message;
    }
}
