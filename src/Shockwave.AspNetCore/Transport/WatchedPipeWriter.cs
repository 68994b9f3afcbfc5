using System.IO.Pipelines;

namespace Shockwave.AspNetCore;

/// <summary>Kestrel's end of the output pipe. It notices what must not be adopted: a 101 response that passes it in disguise, and bytes behind one.</summary>
internal sealed class WatchedPipeWriter(PipeWriter pipe) : PipeWriter
{
    private const uint BlankLine = 0x0D0A0D0A;

    private Memory<byte> _lent;
    private long _bytesWritten;
    private uint _tail;

    /// <summary>Gets how many bytes were ever written. Any thread.</summary>
    public long BytesWritten => Volatile.Read(ref _bytesWritten);

    /// <summary>Gets whether what was written last is the end of a response's head, and in clear.</summary>
    public bool EndsWithBlankLine => _tail == BlankLine;

    /// <inheritdoc />
    public override bool CanGetUnflushedBytes => pipe.CanGetUnflushedBytes;

    /// <inheritdoc />
    public override long UnflushedBytes => pipe.UnflushedBytes;

    /// <inheritdoc />
    public override Memory<byte> GetMemory(int sizeHint = 0) => _lent = pipe.GetMemory(sizeHint);

    /// <inheritdoc />
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc />
    public override void Advance(int bytes)
    {
        Watch(_lent.Span[..bytes]);
        _lent = _lent[bytes..];
        pipe.Advance(bytes);
    }

    /// <inheritdoc />
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Watch(source.Span);
        return pipe.WriteAsync(source, cancellationToken);
    }

    /// <inheritdoc />
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => pipe.FlushAsync(cancellationToken);

    /// <inheritdoc />
    public override void CancelPendingFlush() => pipe.CancelPendingFlush();

    /// <inheritdoc />
    public override void Complete(Exception? exception = null) => pipe.Complete(exception);

    private void Watch(ReadOnlySpan<byte> bytes)
    {
        Volatile.Write(ref _bytesWritten, _bytesWritten + bytes.Length);
        foreach (byte value in bytes[^Math.Min(bytes.Length, sizeof(uint))..])
        {
            _tail = (_tail << 8) | value;
        }
    }
}
