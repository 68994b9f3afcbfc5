using System.IO.Pipelines;

namespace Shockwave.AspNetCore;

/// <summary>Kestrel's end of the output pipe. It counts, so that bytes written behind a 101 response are noticed: they would be taken for frames.</summary>
internal sealed class CountingPipeWriter(PipeWriter pipe) : PipeWriter
{
    private long _bytesWritten;

    /// <summary>Gets how many bytes were ever written. Any thread.</summary>
    public long BytesWritten => Volatile.Read(ref _bytesWritten);

    /// <inheritdoc />
    public override bool CanGetUnflushedBytes => pipe.CanGetUnflushedBytes;

    /// <inheritdoc />
    public override long UnflushedBytes => pipe.UnflushedBytes;

    /// <inheritdoc />
    public override Memory<byte> GetMemory(int sizeHint = 0) => pipe.GetMemory(sizeHint);

    /// <inheritdoc />
    public override Span<byte> GetSpan(int sizeHint = 0) => pipe.GetSpan(sizeHint);

    /// <inheritdoc />
    public override void Advance(int bytes)
    {
        pipe.Advance(bytes);
        Volatile.Write(ref _bytesWritten, _bytesWritten + bytes);
    }

    /// <inheritdoc />
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Volatile.Write(ref _bytesWritten, _bytesWritten + source.Length);
        return pipe.WriteAsync(source, cancellationToken);
    }

    /// <inheritdoc />
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => pipe.FlushAsync(cancellationToken);

    /// <inheritdoc />
    public override void CancelPendingFlush() => pipe.CancelPendingFlush();

    /// <inheritdoc />
    public override void Complete(Exception? exception = null) => pipe.Complete(exception);
}
