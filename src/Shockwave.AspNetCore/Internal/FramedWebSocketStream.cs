using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using Shockwave.Protocol;

namespace Shockwave.AspNetCore;

/// <summary>
/// The frames that the messages of a WebSocket would be on the wire: for servers that hand out messages and no bytes, as TestServer does.
/// Its connections are served by the same code as all others, limits and violations included.
/// </summary>
/// <remarks>
/// One read and one write at a time. Such a WebSocket has no pings, so the peer's pongs are made here. Nothing of it is fast: each
/// frame is a new array.
/// </remarks>
internal sealed class FramedWebSocketStream(WebSocket webSocket) : Stream
{
    private readonly FrameReader _written = new(EndpointRole.Client, Array.MaxLength);
    private readonly Channel<byte[]> _pongs = Channel.CreateUnbounded<byte[]>();
    private readonly CancellationTokenSource _closing = new();
    private readonly byte[] _buffer = new byte[16 * 1024];
    private ReadOnlyMemory<byte> _unread;
    private Task<byte[]>? _receive;
    private Task? _pong;
    private WebSocketMessageType _writtenType;
    private bool _isInMessage;
    private bool _isOver;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Without room there is no waiting for data here: the answer is that of a stream which does not know.
        while (_unread.IsEmpty && !buffer.IsEmpty)
        {
            if (_pongs.Reader.TryRead(out byte[]? pong))
            {
                _unread = pong;
            }
            else if (_isOver)
            {
                return 0;
            }
            else
            {
                await WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        int count = Math.Min(buffer.Length, _unread.Length);
        _unread[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _written.Append(buffer.Span);
        while (ReadWritten(out var header) is { } payload)
        {
            await SendAsync(header, payload, cancellationToken).ConfigureAwait(false);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _closing.Cancel();

            // Harmless after a proper close.
            webSocket.Abort();
            webSocket.Dispose();
            _written.Dispose();
        }

        base.Dispose(disposing);
    }

    // Masked, as our server demands of a client, with a key that changes nothing: there is no proxy to confuse.
    private static byte[] MakeFrame(Opcode opcode, ReadOnlySpan<byte> payload, bool isFinal = true)
    {
        byte[] frame = new byte[FrameCodec.GetHeaderLength(payload.Length, isMasked: true) + payload.Length];
        int header = FrameCodec.EncodeHeader(frame, new FrameHeader(opcode, payload.Length, maskingKey: 0, isFinal));
        payload.CopyTo(frame.AsSpan(header));
        return frame;
    }

    private static byte[] MakeCloseFrame(WebSocketCloseStatus? status, string? reason)
    {
        if (status is null or WebSocketCloseStatus.Empty)
        {
            return MakeFrame(Opcode.Close, []);
        }

        // Not by ClosePayload: what a test sends that a peer must not is for the server to find.
        Span<byte> payload = stackalloc byte[FrameCodec.MaxControlPayloadBytes];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)status);
        Encoding.UTF8.TryGetBytes(reason, payload[2..], out int length);
        return MakeFrame(Opcode.Close, payload[..(2 + length)]);
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        _receive ??= ReceiveAsync();
        _pong ??= _pongs.Reader.WaitToReadAsync(_closing.Token).AsTask();
        await Task.WhenAny(_receive, _pong).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_receive.IsCompleted)
        {
            var received = _receive;
            _receive = null;
            _unread = await received.ConfigureAwait(false);
        }
        else
        {
            _pong = null;
        }
    }

    private async Task<byte[]> ReceiveAsync()
    {
        var result = await webSocket.ReceiveAsync(new ArraySegment<byte>(_buffer), _closing.Token).ConfigureAwait(false);
        if (result.MessageType == WebSocketMessageType.Close)
        {
            _isOver = true;
            return MakeCloseFrame(result.CloseStatus, result.CloseStatusDescription);
        }

        var opcode = _isInMessage ? Opcode.Continuation : result.MessageType == WebSocketMessageType.Text ? Opcode.Text : Opcode.Binary;
        _isInMessage = !result.EndOfMessage;
        return MakeFrame(opcode, _buffer.AsSpan(0, result.Count), result.EndOfMessage);
    }

    private byte[]? ReadWritten(out FrameHeader header) =>
        _written.ReadFrame(out header, out var payload) == OperationStatus.Done ? payload.ToArray() : null;

    private async Task SendAsync(FrameHeader header, byte[] payload, CancellationToken cancellationToken)
    {
        switch (header.Opcode)
        {
            case Opcode.Ping:
                _pongs.Writer.TryWrite(MakeFrame(Opcode.Pong, payload));
                break;
            case Opcode.Pong:
                break;
            case Opcode.Close:
                ClosePayload.Decode(payload, out var code, out string reason);
                bool hasCode = code != CloseCode.NoStatusReceived;
                await webSocket.CloseOutputAsync(hasCode ? (WebSocketCloseStatus)code : WebSocketCloseStatus.Empty, hasCode ? reason : null, cancellationToken).ConfigureAwait(false);
                break;
            default:
                _writtenType = header.Opcode switch
                {
                    Opcode.Text => WebSocketMessageType.Text,
                    Opcode.Binary => WebSocketMessageType.Binary,
                    _ => _writtenType,
                };
                await webSocket.SendAsync(new ArraySegment<byte>(payload), _writtenType, header.IsFinal, cancellationToken).ConfigureAwait(false);
                break;
        }
    }
}
