namespace Shockwave.Micro;

/// <summary>One end of a duplex connection in memory: what one end writes the other reads. Holds at most one frame each way.</summary>
internal sealed class PairedStream : MemoryStreamBase
{
    private readonly byte[] _inbox = new byte[64 * 1024];
    private PairedStream _other = null!;
    private int _start;
    private int _end;

    public static (PairedStream Client, PairedStream Server) Create()
    {
        var client = new PairedStream();
        var server = new PairedStream { _other = client };
        client._other = server;
        return (client, server);
    }

    public override int Read(Span<byte> buffer)
    {
        int count = Math.Min(buffer.Length, _end - _start);
        _inbox.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        if (_start == _end)
        {
            _start = _end = 0;
        }

        return count;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        buffer.CopyTo(_other._inbox.AsSpan(_other._end));
        _other._end += buffer.Length;
    }
}
