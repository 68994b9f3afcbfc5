using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Shockwave.Conformance;

/// <summary>A client that is nothing but a stream of bytes: it sends what it is told, and shows what comes.</summary>
/// <param name="stream">A TCP connection, TLS on it, or a stream of HTTP/2.</param>
/// <param name="socket">The socket below; <see langword="null"/> with HTTP/2, which has others' streams on it.</param>
internal sealed class WireClient(Stream stream, Socket? socket = null) : IDisposable
{
    private byte[] _received = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>Sends bytes at once.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes);
        await stream.FlushAsync();
    }

    /// <summary>Sends bytes chunk by chunk. What the server sees of the borders is up to the network.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, int[] chunks)
    {
        foreach (int chunk in chunks)
        {
            await SendAsync(bytes[..chunk]);
            bytes = bytes[chunk..];
        }
    }

    /// <summary>Ends our side, so that the server reads the end: FIN, or close_notify. Nothing else may use the client meanwhile.</summary>
    /// <returns>False where that cannot be said: a stream of HTTP/2 ends both ways at once.</returns>
    public async Task<bool> TryEndSendingAsync()
    {
        if (stream is not SslStream secure)
        {
            return TryEndSocket();
        }

        // Without the FIN: Kestrel takes that for a lost connection, and aborts what it is about to end.
        await secure.ShutdownAsync();
        return true;
    }

    /// <summary>Ends our side of the socket, also while somebody reads: with TLS, where a shutdown beside a read corrupts OpenSSL's memory, without a close_notify.</summary>
    /// <returns>False where the socket is shared.</returns>
    public bool TryEndSocket()
    {
        socket?.Shutdown(SocketShutdown.Send);
        return socket is not null;
    }

    /// <summary>Reads the head of an HTTP/1.1 response.</summary>
    public async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        while (!EndsWithEmptyLine(head))
        {
            Assert.True(_start < _end || await FillAsync(), $"The server closed behind: {head}");
            head.Append((char)_received[_start++]);
        }

        return head.ToString();
    }

    /// <summary>Reads a frame.</summary>
    /// <returns>The frame; <see langword="null"/> at the end.</returns>
    public async Task<WireFrame?> ReadFrameAsync()
    {
        if (!await HasAsync(2, mayEnd: true))
        {
            return null;
        }

        int first = _received[_start];
        int length = _received[_start + 1];
        Assert.True(length < 128, "RFC 6455 §5.1: a server must not mask.");
        int headerLength = length switch { 126 => 4, 127 => 10, _ => 2 };
        await HasAsync(headerLength);
        var header = _received.AsMemory(_start, headerLength);
        length = length switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(header.Span[2..]),
            127 => checked((int)BinaryPrimitives.ReadUInt64BigEndian(header.Span[2..])),
            _ => length,
        };
        Assert.Equal(headerLength, length < 126 ? 2 : length <= ushort.MaxValue ? 4 : 10);
        await HasAsync(headerLength + length);
        byte[] payload = _received.AsSpan(_start + headerLength, length).ToArray();
        _start += headerLength + length;
        return new WireFrame(first, payload);
    }

    /// <summary>Reads a frame that must be there, and this one.</summary>
    public async Task AssertFrameAsync(int first, byte[] payload)
    {
        var frame = await ReadFrameAsync();
        Assert.NotNull(frame);
        Assert.Equal(first, frame.First);
        Assert.True(payload.AsSpan().SequenceEqual(frame.Payload), $"{payload.Length} bytes expected, and {frame.Payload.Length} came");
    }

    public Task AssertFrameAsync(int first, string payload) => AssertFrameAsync(first, Encoding.UTF8.GetBytes(payload));

    /// <summary>Reads a Close frame with a code.</summary>
    public async Task AssertCloseAsync(int code)
    {
        var frame = await ReadFrameAsync();
        Assert.NotNull(frame);
        Assert.Equal(0x88, frame.First);
        Assert.Equal(code, BinaryPrimitives.ReadUInt16BigEndian(frame.Payload));
    }

    /// <summary>Reads the end, which must be a proper one and come at once.</summary>
    public async Task AssertEndAsync() => Assert.False(_start < _end || await FillAsync(), "More came than expected.");

    /// <summary>Sends a text message and reads its echo.</summary>
    public async Task AssertEchoAsync(string text)
    {
        await SendAsync(Testing.RawFrame.Masked(0x81, text));
        await AssertFrameAsync(0x81, text);
    }

    /// <summary>Reads everything to the end, proper or not.</summary>
    public async Task<string> ReadToEndAsync()
    {
        try
        {
            while (await FillAsync())
            {
                // Until the end.
            }
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }

        return Encoding.Latin1.GetString(_received, _start, _end - _start);
    }

    /// <summary>Ends at once: with a reset where the transport knows one.</summary>
    public void Reset()
    {
        socket?.LingerState = new LingerOption(true, 0);
        (socket as IDisposable)?.Dispose();
        stream.Dispose();
    }

    public void Dispose() => stream.Dispose();

    private static bool EndsWithEmptyLine(StringBuilder head) =>
        head.Length >= 4 && head[^1] == '\n' && head[^2] == '\r' && head[^3] == '\n' && head[^4] == '\r';

    private async Task<bool> HasAsync(int count, bool mayEnd = false)
    {
        while (_end - _start < count)
        {
            if (!await FillAsync())
            {
                return mayEnd && _start == _end ? false : throw new EndOfStreamException("The server ended in the middle of a frame.");
            }
        }

        return true;
    }

    private async Task<bool> FillAsync()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _received.Length)
        {
            byte[] bytes = _start > _end / 2 ? _received : new byte[2 * _received.Length];
            _received.AsSpan(_start, _end - _start).CopyTo(bytes);
            (_received, _start, _end) = (bytes, 0, _end - _start);
        }

        int count = await stream.ReadAsync(_received.AsMemory(_end));
        _end += count;
        return count > 0;
    }
}

/// <summary>A frame that came from a server: its first byte, with FIN, RSV1-3 and the opcode, and its payload.</summary>
internal sealed record WireFrame(int First, byte[] Payload)
{
    public override string ToString() => $"{First:X2} {Convert.ToHexString(Payload)}";
}
