namespace Shockwave.Engine.Tests;

/// <summary>A stream whose every read and write ends as the test says: before the call returns, later, or never by itself.</summary>
internal sealed class ScriptedStream : Stream
{
    private TaskCompletionSource<int>? _read;
    private TaskCompletionSource? _write;

    /// <summary>Gets or sets what a read does; null leaves it pending.</summary>
    public Func<Memory<byte>, ValueTask<int>?> OnRead { get; set; } = _ => null;

    /// <summary>Gets or sets what a write does; null leaves it pending.</summary>
    public Func<ReadOnlyMemory<byte>, ValueTask?> OnWrite { get; set; } = _ => default(ValueTask);

    public bool HonoursCancellation { get; set; } = true;

    public Exception? DisposeError { get; set; }

    public Memory<byte> ReadBuffer { get; private set; }

    public ReadOnlyMemory<byte> WriteBuffer { get; private set; }

    public bool IsReading => _read is { Task.IsCompleted: false };

    public bool IsWriting => _write is { Task.IsCompleted: false };

    public int Disposals { get; private set; }

    public List<byte> Taken { get; } = [];

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Ends the pending read with bytes, which go into its buffer as far as they fit.</summary>
    public void EndRead(params byte[] bytes)
    {
        int count = Math.Min(bytes.Length, ReadBuffer.Length);
        bytes.AsSpan(0, count).CopyTo(ReadBuffer.Span);
        _read!.SetResult(count);
    }

    public void FailRead(Exception error) => _read!.SetException(error);

    public void EndWrite()
    {
        Taken.AddRange(WriteBuffer.Span);
        _write!.SetResult();
    }

    public void FailWrite(Exception error) => _write!.SetException(error);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Assert.False(IsReading);
        if (OnRead(buffer) is { } now)
        {
            return now;
        }

        var read = _read = new TaskCompletionSource<int>();
        ReadBuffer = buffer;
        if (HonoursCancellation)
        {
            cancellationToken.Register(() => read.TrySetCanceled(cancellationToken));
        }

        return new(read.Task);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Assert.False(IsWriting);
        if (OnWrite(buffer) is { } now)
        {
            Taken.AddRange(buffer.Span);
            return now;
        }

        var write = _write = new TaskCompletionSource();
        WriteBuffer = buffer;
        if (HonoursCancellation)
        {
            cancellationToken.Register(() => write.TrySetCanceled(cancellationToken));
        }

        return new(write.Task);
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Disposals++;
        _read?.TrySetException(new ObjectDisposedException("stream"));
        _write?.TrySetException(new ObjectDisposedException("stream"));
        if (DisposeError is not null)
        {
            throw DisposeError;
        }
    }
}
