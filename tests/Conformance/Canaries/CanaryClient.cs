using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>A client that sends its secret in all it sends, and looks for anything else in all that comes. It lives for some batches and ends in one of many ways.</summary>
internal sealed class CanaryClient(WireClient wire, Canary canary, CanaryRecord record, bool isCompressed, Random random)
{
    /// <summary>Most messages are not longer.</summary>
    public const int MaxSmallBytes = 200;

    private const int MaxBatches = 40;
    private const int MaxBatchMessages = 48;

    // So that the server's bound on what is buffered, which closes the connection, is met now and then and not always.
    private const int MaxUnansweredMessages = 768;

    // Of so many clients one sends much and reads nothing before it must, so that the server has to keep what its socket does not take.
    private const int OneInLazy = 8;
    private const int MaxLazyBytes = 16 * 1024;

    private readonly ConcurrentQueue<int> _unanswered = new();
    private readonly ArrayBufferWriter<byte> _batch = new();
    private readonly bool _isLazy = random.Next(OneInLazy) == 0;
    private readonly byte[] _inflated = new byte[Canary.MaxBytes];

    public static int RandomLength(Random random) => random.Next(100) switch
    {
        0 => random.Next(Canary.MaxBytes),
        < 8 => random.Next(8 * 1024),
        _ => random.Next(MaxSmallBytes),
    };

    public async Task LiveAsync()
    {
        using var end = wire;
        int maxUnanswered = _isLazy ? MaxUnansweredMessages : random.Next(MaxUnansweredMessages);
        var reading = _isLazy ? null : ReadAsync();
        try
        {
            for (int i = random.Next(1, MaxBatches); i > 0 && !record.IsOver && reading is not { IsCompleted: true }; i--)
            {
                Fill();
                var sending = wire.SendAsync(_batch.WrittenMemory);
                if (!sending.IsCompleted || _unanswered.Count > maxUnanswered)
                {
                    reading ??= ReadAsync();
                }

                await sending;
                while (_unanswered.Count > maxUnanswered && !reading!.IsCompleted)
                {
                    await Task.Yield();
                }
            }

            reading ??= ReadAsync();
            await EndAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or SocketException)
        {
            // The server was faster.
        }

        await (reading ?? ReadAsync());
    }

    private void Fill()
    {
        _batch.ResetWrittenCount();
        using var deflater = isCompressed ? DeflateProvider.Current.CreateDeflater(level: 1, windowBits: 15, hasContextTakeover: false) : null;
        for (int i = random.Next(1, MaxBatchMessages); i > 0; i--)
        {
            int length = _isLazy ? random.Next(MaxLazyBytes) : RandomLength(random);
            var payload = canary.Sing(length).Span;
            _unanswered.Enqueue(length);
            if (deflater is not null && random.Next(2) == 0)
            {
                var compressed = new ArrayBufferWriter<byte>();
                deflater.Compress(payload, compressed);
                WriteFrame(0xC2, compressed.WrittenSpan);
            }
            else if (random.Next(8) == 0)
            {
                int cut = random.Next(length + 1);
                WriteFrame(0x02, payload[..cut]);
                WriteFrame(0x89, canary.Sing(random.Next(126)).Span);
                WriteFrame(0x80, payload[cut..]);
            }
            else
            {
                WriteFrame(0x82, payload);
            }
        }
    }

    private void WriteFrame(int first, ReadOnlySpan<byte> payload)
    {
        uint key = (uint)random.Next();
        _batch.Write(RawFrame.Header(first, (ulong)payload.Length, isMasked: true));
        _batch.Write(BitConverter.GetBytes(key));
        Masker.Mask(payload, _batch.GetSpan(payload.Length), key);
        _batch.Advance(payload.Length);
    }

    private async Task EndAsync()
    {
        switch (random.Next(5))
        {
            case 0:
                await wire.SendAsync(RawFrame.Masked(0x88, RawFrame.ClosePayload(1000, canary.Sing(8).Span)));
                break;
            case 1:
                _unanswered.Enqueue(1000);
                await wire.SendAsync((byte[])[.. RawFrame.Masked(0x82, canary.Sing(1000).Span), .. RawFrame.Masked(0x83), .. RawFrame.Masked(0x82, canary.Sing(1000).Span)]);
                break;
            case 2 when wire.TryEndSocket():
                break;
            case 3:
                wire.Dispose();
                break;
            default:
                wire.Reset();
                break;
        }
    }

    private async Task ReadAsync()
    {
        using var inflater = isCompressed ? DeflateProvider.Current.CreateInflater(windowBits: 15) : null;
        try
        {
            while (await wire.ReadFrameAsync() is { } frame)
            {
                Check(frame, inflater);
                if (frame.First == 0x88)
                {
                    break;
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or SocketException)
        {
            // One of us was reset, or disposed: an SslStream says so in several ways.
        }
        catch (Exception e)
        {
            record.Fail($"the client {canary.Secret}: {e.Message}");
        }

        // Whoever has been told to close, or has not been answered, leaves.
        wire.Dispose();
    }

    private void Check(WireFrame frame, MessageInflater? inflater)
    {
        var payload = frame.Payload.AsSpan();
        switch (frame.First)
        {
            case 0x88 when payload.Length >= 2:
                int code = (payload[0] << 8) | payload[1];
                record.Check(canary, code is 4000 or 4001 ? payload[2..] : [], "the server's close reason");
                return;
            case 0x81 or 0x82 or 0x8A:
                break;
            case 0xC1 or 0xC2 when inflater is not null:
                inflater.Reset();
                var status = inflater.Inflate(payload, _inflated, isFinal: true, out _, out int written);
                payload = status == OperationStatus.Done ? _inflated.AsSpan(0, written) : "corrupt"u8.ToArray();
                break;
            default:
                record.Fail(canary, payload, $"a frame {frame.First:X2}");
                return;
        }

        record.Check(canary, payload, "the client");
        if ((frame.First & 0x0F) == 0x02 && (!_unanswered.TryDequeue(out int length) || length != payload.Length))
        {
            record.Fail($"an echo of {payload.Length} bytes instead of {length} to {canary.Secret}");
        }
    }
}
