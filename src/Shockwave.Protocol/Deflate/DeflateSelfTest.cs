using System.Buffers;

namespace Shockwave.Protocol;

/// <summary>Finds out whether a provider does what negotiation will promise in its name, by messages there and back.</summary>
internal static class DeflateSelfTest
{
    private const int MessageBytes = 3000;
    private const int RepeatBytes = 200;

    /// <summary>Runs the test, a few dozen messages.</summary>
    /// <returns>What failed; <see langword="null"/> if all is well.</returns>
    public static string? Run(DeflateProvider provider)
    {
        byte[] message = CreateMessage();
        for (int windowBits = provider.MinWindowBits; windowBits <= DeflateProvider.MaxWindowBits; windowBits++)
        {
            foreach (bool hasContextTakeover in (ReadOnlySpan<bool>)[false, true])
            {
                if (!IsRoundTrip(provider, message, windowBits, hasContextTakeover))
                {
                    return $"window bits {windowBits}, {(hasContextTakeover ? "with" : "without")} context takeover";
                }
            }
        }

        return null;
    }

    // Three times the same message: read by the provider's own inflater, and by the managed one. That one knows no more than the window
    // that was asked for and, where there is no context takeover, nothing of the message before.
    private static bool IsRoundTrip(DeflateProvider provider, byte[] message, int windowBits, bool hasContextTakeover)
    {
        using MessageDeflater deflater = provider.CreateDeflater(level: 1, windowBits, hasContextTakeover);
        using MessageInflater own = provider.CreateInflater(windowBits);
        using MessageInflater reference = new ManagedInflater(windowBits);
        var payload = new ArrayBufferWriter<byte>();
        for (int i = 0; i < 3; i++)
        {
            payload.ResetWrittenCount();
            deflater.Compress(message, payload);
            if (!hasContextTakeover)
            {
                own.Reset();
                reference.Reset();
            }

            if (!IsInflatedTo(message, own, payload.WrittenSpan) || !IsInflatedTo(message, reference, payload.WrittenSpan))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsInflatedTo(ReadOnlySpan<byte> message, MessageInflater inflater, ReadOnlySpan<byte> payload)
    {
        Span<byte> inflated = stackalloc byte[MessageBytes];
        OperationStatus status = inflater.Inflate(payload, inflated, isFinal: true, out int consumed, out int written);
        return status == OperationStatus.Done && consumed == payload.Length && inflated[..written].SequenceEqual(message);
    }

    // Octets that do not compress, with the same ones again at growing distances: a compressor whose window is larger than it was told
    // would refer to them.
    private static byte[] CreateMessage()
    {
        var message = new byte[MessageBytes];
        uint state = 1;
        for (int i = 0; i < message.Length; i++)
        {
            state = (state * 1664525) + 1013904223;
            message[i] = (byte)(state >> 24);
        }

        Span<byte> repeated = message.AsSpan(0, RepeatBytes);
        foreach (int start in (ReadOnlySpan<int>)[300, 1000, MessageBytes - RepeatBytes])
        {
            repeated.CopyTo(message.AsSpan(start));
        }

        return message;
    }
}
