using System.Net;
using System.Net.Sockets;
using Shockwave.Engine;

namespace Shockwave.Client;

/// <summary>A connection on an event loop while it speaks HTTP. After the 101 the loop serves it alone, as a server's loop does after an adoption.</summary>
/// <remarks>
/// The runtime's HTTP stack calls the members of <see cref="Stream"/> on any thread; the rest runs on the loop. Receiving is paused unless a
/// read waits, and a read ends at the latest with the blank line that ends a head: what the server sends behind its 101 stays in the
/// transport, for <see cref="HandOverAsync"/>. A request is small, so that writes are not held back.
/// </remarks>
internal sealed class HandshakeStream : Stream, ITransportHandler, IOwnerWork
{
    private readonly Shard _shard;
    private readonly SocketTransport _transport;
    private PendingRead? _read;
    private BlankLine _blankLine;
    private bool _isStarted;
    private bool _isEnded;
    private bool _isHandedOver;
    private Exception? _error;

    private HandshakeStream(Shard shard, SocketTransport transport, IPEndPoint remoteEndPoint)
    {
        _shard = shard;
        _transport = transport;
        RemoteEndPoint = remoteEndPoint;
        transport.Attach(this);
    }

    private enum Step : byte
    {
        Read,
        CancelRead,
        Write,
        HandOver,
        Close,
    }

    /// <summary>Gets the server's address.</summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <inheritdoc />
    public override bool CanRead => true;

    /// <inheritdoc />
    public override bool CanWrite => true;

    /// <inheritdoc />
    public override bool CanSeek => false;

    /// <inheritdoc />
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Connects to the first of a host's addresses that accepts.</summary>
    /// <exception cref="SocketException">None does, or the name is not known.</exception>
    public static async Task<HandshakeStream> ConnectAsync(Shard shard, DnsEndPoint host, CancellationToken cancellationToken)
    {
        SocketException? error = null;
        foreach (var address in await Dns.GetHostAddressesAsync(host.Host, cancellationToken).ConfigureAwait(false))
        {
            var endPoint = new IPEndPoint(address, host.Port);
            try
            {
                return new HandshakeStream(shard, await Connector.ConnectAsync((EventLoop)shard.Owner, endPoint, cancellationToken).ConfigureAwait(false), endPoint);
            }
            catch (SocketException e)
            {
                error = e;
            }
        }

        throw error ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>Makes the connection that has the socket from now on, and begins it. Any thread; nothing of the stream may be under way.</summary>
    /// <param name="create">Makes it for the shard and the transport. On the loop.</param>
    /// <param name="neverPauses">See <see cref="SocketTransport.NeverPauses"/>.</param>
    /// <exception cref="IOException">The connection has failed meanwhile.</exception>
    public Task<WebSocketConnection> HandOverAsync(Func<Shard, Transport, WebSocketConnection> create, bool neverPauses)
    {
        var handOver = new HandOver(create, neverPauses);
        _shard.Owner.Post(this, handOver, (long)Step.HandOver);
        return handOver.Task;
    }

    /// <inheritdoc />
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = new PendingRead(buffer, cancellationToken);
        _shard.Owner.Post(this, read, (long)Step.Read);

        // The buffer is its owner's again only when the loop has let go of it.
        await using (cancellationToken.UnsafeRegister(_ => _shard.Owner.Post(this, read, (long)Step.CancelRead), null).ConfigureAwait(false))
        {
            return await read.Task.ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <inheritdoc />
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return default;
    }

    /// <inheritdoc />
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Write(buffer.AsSpan(offset, count));
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc />
    public override void Write(ReadOnlySpan<byte> buffer) => _shard.Owner.Post(this, buffer.ToArray(), (long)Step.Write);

    /// <inheritdoc />
    public override void Flush()
    {
        // What is written leaves with the turn.
    }

    /// <inheritdoc />
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    int ITransportHandler.OnReceived(Span<byte> bytes)
    {
        int count = Math.Min(bytes.Length, _read!.Target.Length);
        count = _blankLine.CountBytesUpTo(bytes[..count]);
        bytes[..count].CopyTo(_read.Target.Span);
        _transport.Pause();
        EndRead(count);
        return count;
    }

    void ITransportHandler.OnReceiveEnded(Exception? error) => End(error);

    void ITransportHandler.OnDrained()
    {
        // The request is out; the answer is what matters.
    }

    void ITransportHandler.OnFailed(Exception error)
    {
        End(error);
        _transport.Abort();
    }

    void ITransportHandler.OnDeadline()
    {
        // Whoever connects keeps the time, name look-up and TLS included.
    }

    void ITransportHandler.OnClosed() => End(_error ?? new IOException("The connection was closed."));

    void IOwnerWork.Run(object? state, long argument)
    {
        switch ((Step)argument)
        {
            case Step.Read:
                BeginRead((PendingRead)state!);
                break;
            case Step.CancelRead when state == _read:
                _read = null;
                _transport.Pause();
                ((PendingRead)state!).Cancel();
                break;
            case Step.Write when !_isHandedOver:
                Send((byte[])state!);
                break;
            case Step.HandOver:
                Give((HandOver)state!);
                break;
            case Step.Close when !_isHandedOver:
                Close(_transport);
                break;
            default:
                break;
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _shard.Owner.Post(this, null, (long)Step.Close);
        }

        base.Dispose(disposing);
    }

    private void BeginRead(PendingRead read)
    {
        if (_isHandedOver || _read is not null)
        {
            read.TrySetException(new InvalidOperationException("The connection is somebody else's, or another read is under way."));
            return;
        }

        _read = read;
        if (_isEnded)
        {
            EndRead(0);
            return;
        }

        _transport.Resume();
        if (!_isStarted)
        {
            _isStarted = true;
            _transport.Start();
        }
    }

    private void EndRead(int count)
    {
        var read = _read;
        _read = null;
        if (count == 0 && _error is not null)
        {
            read!.TrySetException(_error);
        }
        else
        {
            read!.TrySetResult(count);
        }
    }

    private void Send(byte[] bytes)
    {
        if (!_transport.IsClosed)
        {
            bytes.CopyTo(_transport.GetSpan(bytes.Length));
            _transport.Commit(bytes.Length);
        }
    }

    // What was received and not read comes to the connection first: it is in the transport.
    private void Give(HandOver handOver)
    {
        if (_isEnded || _isHandedOver || _read is not null)
        {
            handOver.TrySetException(_error ?? new IOException("The connection has ended."));
            return;
        }

        _isHandedOver = true;
        try
        {
            var connection = handOver.Create(_shard, _transport);
            _transport.NeverPauses = handOver.NeverPauses;
            _transport.Resume();
            connection.StartNow();
            handOver.TrySetResult(connection);
        }
        catch (Exception e)
        {
            _transport.Abort();
            handOver.TrySetException(e);
        }
    }

    private void End(Exception? error)
    {
        _isEnded = true;
        _error ??= error;
        if (_read is not null)
        {
            EndRead(0);
        }
    }

    // A server that was refused should see an end, not a reset; but nobody waits for it to take what is left of the request.
    private static void Close(SocketTransport transport)
    {
        if (transport.UnsentBytes == 0)
        {
            transport.CloseAfterSending();
        }
        else
        {
            transport.Abort();
        }
    }

    private sealed class PendingRead(Memory<byte> target, CancellationToken cancellationToken)
        : TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Memory<byte> Target => target;

        public void Cancel() => TrySetCanceled(cancellationToken);
    }

    private sealed class HandOver(Func<Shard, Transport, WebSocketConnection> create, bool neverPauses)
        : TaskCompletionSource<WebSocketConnection>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Func<Shard, Transport, WebSocketConnection> Create => create;

        public bool NeverPauses => neverPauses;
    }
}
