namespace Shockwave.Conformance;

/// <summary>Lets each read see the next chunk at most, however much is there: the reader sees exactly these pieces.</summary>
internal sealed class ChunkedReadStream(Stream inner, IReadOnlyList<int> chunks) : Stream
{
    private int _next;
    private int _rest;

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
        if (_rest == 0 && _next < chunks.Count)
        {
            _rest = chunks[_next++];
        }

        // A read without a buffer only waits, and behind the last chunk there is but the end.
        int length = _rest == 0 ? buffer.Length : Math.Min(buffer.Length, _rest);
        int count = await inner.ReadAsync(buffer[..length], cancellationToken);
        _rest -= Math.Min(count, _rest);
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
