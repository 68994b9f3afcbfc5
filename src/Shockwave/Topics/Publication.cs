using Shockwave.Protocol;

namespace Shockwave;

/// <summary>One published message, framed once in a pooled buffer that all owners share. The last one to release it returns the buffer.</summary>
internal sealed class Publication
{
    private readonly byte[] _buffer;
    private readonly int _headerLength;
    private readonly int _length;
    private int _holders;

    public Publication(string topic, ReadOnlySpan<byte> payload, MessageType type, int holders)
    {
        Topic = topic;
        Type = type;
        _holders = holders;
        _buffer = BufferPool.Shared.Rent(FrameCodec.MaxHeaderBytes + payload.Length);
        _headerLength = FrameCodec.EncodeMessageHeader(_buffer, (Opcode)type, payload.Length);
        payload.CopyTo(_buffer.AsSpan(_headerLength));
        _length = _headerLength + payload.Length;
    }

    public string Topic { get; }

    public MessageType Type { get; }

    public ReadOnlySpan<byte> Frame => _buffer.AsSpan(0, _length);

    public ReadOnlySpan<byte> Payload => _buffer.AsSpan(_headerLength, _length - _headerLength);

    /// <summary>Says that one of the holders is done. Any thread.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            BufferPool.Shared.Return(_buffer);
        }
    }
}
