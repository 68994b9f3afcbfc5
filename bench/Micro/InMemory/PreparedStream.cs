namespace Shockwave.Micro;

/// <summary>Serves one prepared frame again and again, a read never going beyond its end, and swallows what is written.</summary>
internal sealed class PreparedStream(byte[] frame) : MemoryStreamBase
{
    private int _position;

    /// <summary>Gets how many bytes were written.</summary>
    public long WrittenBytes { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, frame.Length - _position);
        frame.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        if (_position == frame.Length)
        {
            _position = 0;
        }

        return count;
    }

    public override void Write(ReadOnlySpan<byte> buffer) => WrittenBytes += buffer.Length;
}
