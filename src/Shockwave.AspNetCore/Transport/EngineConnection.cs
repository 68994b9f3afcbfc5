using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Shockwave.Engine;

namespace Shockwave.AspNetCore;

/// <summary>A connection while it speaks HTTP: Kestrel reads and writes it through two pipes. After an upgrade it may be adopted.</summary>
/// <remarks>
/// Kestrel, and whoever has the request, calls the members of <see cref="ConnectionContext"/> on any thread. What moves bytes between the
/// pipes and the socket runs on the socket's owner, which never waits: it copies, and it goes on when the pipe or the socket says so. The
/// order at the end: Kestrel disposes this, the output pipe ends, what was written is sent; then the socket is closed or adopted.
/// </remarks>
[SuppressMessage("Reliability", "CA2012", Justification = "Awaited by hand: each awaiter is stored, completed and read exactly once.")]
internal sealed partial class EngineConnection : ConnectionContext,
    ITransportHandler,
    IOwnerWork,
    IConnectionIdFeature,
    IConnectionTransportFeature,
    IConnectionItemsFeature,
    IConnectionLifetimeFeature,
    IConnectionEndPointFeature,
    IMemoryPoolFeature
{
    // A large response is copied to the socket in pieces, each after the one before was taken.
    private const int MaxPieceBytes = 64 * 1024;

    private static long _lastId;

    private readonly SocketTransport _transport;
    private readonly ConnectionOwner _owner;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly CountingPipeWriter _kestrelOutput;
    private readonly DuplexPipe _kestrelPipes;
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action _onInputFlushed;
    private readonly Action _onOutputReadable;
    private ValueTaskAwaiter<FlushResult> _inputFlush;
    private ValueTaskAwaiter<ReadResult> _outputRead;
    private ConnectionAbortedException? _abortReason;
    private IDictionary<object, object?>? _items;
    private bool _isInputOver;
    private bool _isOutputAwaited;
    private bool _isReleased;

    /// <param name="transport">The accepted socket, not yet started.</param>
    /// <param name="memoryPool">The pool of both pipes, and of whoever makes more of them.</param>
    /// <param name="input">What is received: its reader is Kestrel, with everything that runs on it and may block, so it goes to the thread pool.</param>
    /// <param name="output">What is sent. Our ends of both pipes only post, so they run inline.</param>
    public EngineConnection(SocketTransport transport, MemoryPool<byte> memoryPool, PipeOptions input, PipeOptions output)
    {
        _transport = transport;
        _owner = transport.Owner;
        MemoryPool = memoryPool;
        ConnectionId = MakeId();
        ConnectionClosed = _closing.Token;
        LocalEndPoint = transport.LocalEndPoint;
        RemoteEndPoint = transport.RemoteEndPoint;
        _onInputFlushed = () => _owner.Post(this, null, (long)Step.InputFlushed);
        _onOutputReadable = () => _owner.Post(this, null, (long)Step.OutputReadable);

        _input = new Pipe(input);
        _output = new Pipe(output);
        _kestrelOutput = new CountingPipeWriter(_output.Writer);
        Transport = _kestrelPipes = new DuplexPipe(_input.Reader, _kestrelOutput);
        SetFeatures();
    }

    private enum Step : byte
    {
        InputFlushed,
        OutputReadable,
        HoldInput,
        Adopt,
        ShutdownSend,
        Abort,
    }

    /// <inheritdoc />
    public override string ConnectionId { get; set; }

    /// <inheritdoc />
    public override IFeatureCollection Features { get; } = new FeatureCollection();

    /// <inheritdoc />
    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    /// <inheritdoc />
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc />
    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>Begins to move bytes. On the owner.</summary>
    public void Start()
    {
        _transport.Attach(this);
        _transport.Start();
        ReadOutput();
    }

    /// <inheritdoc />
    public override void Abort(ConnectionAbortedException abortReason)
    {
        Interlocked.CompareExchange(ref _abortReason, abortReason, null);
        WithdrawAdoption("the request was aborted");
        _owner.Post(this, null, (long)Step.Abort);
    }

    /// <summary>Ends our sending side once everything written was sent (FIN). Any thread.</summary>
    public void ShutdownSend() => _owner.Post(this, null, (long)Step.ShutdownSend);

    /// <inheritdoc />
    public override async ValueTask DisposeAsync()
    {
        // The input is completed last: what is left in it belongs to whoever adopts the connection.
        await _kestrelOutput.CompleteAsync().ConfigureAwait(false);
        await _released.Task.ConfigureAwait(false);

        // The socket may have closed before the adoption was asked for: then nobody else takes it back.
        WithdrawAdoption("the client left");
        await _input.Reader.CompleteAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    int ITransportHandler.OnReceived(Span<byte> bytes)
    {
        if (!_isInputOver)
        {
            _input.Writer.Write(bytes);
            _inputFlush = _input.Writer.FlushAsync().GetAwaiter();
            if (_inputFlush.IsCompleted)
            {
                EndInputFlush();
            }
            else
            {
                _transport.Pause();
                _inputFlush.UnsafeOnCompleted(_onInputFlushed);
            }
        }

        return bytes.Length;
    }

    void ITransportHandler.OnReceiveEnded(Exception? error) => EndInput(error);

    void ITransportHandler.OnDrained() => ReadOutput();

    void ITransportHandler.OnFailed(Exception error)
    {
        EndInput(error);
        _transport.Abort();
    }

    void ITransportHandler.OnDeadline()
    {
        // Kestrel keeps the time of a request, also while the last of a response is sent.
    }

    void ITransportHandler.OnClosed()
    {
        EndInput(error: null);
        if (_isOutputAwaited)
        {
            _output.Reader.CancelPendingRead();
        }
        else
        {
            Release();
        }
    }

    void IOwnerWork.Run(object? state, long argument)
    {
        try
        {
            Run((Step)argument);
        }
        catch (Exception e)
        {
            ((ITransportHandler)this).OnFailed(e);
        }
    }

    private void Run(Step step)
    {
        switch (step)
        {
            case Step.InputFlushed:
                EndInputFlush();
                break;
            case Step.OutputReadable:
                _isOutputAwaited = false;
                EndOutputRead();
                break;
            case Step.Abort when !_isReleased:
                _transport.Abort();
                break;
            case Step.HoldInput when !_isReleased:
                HoldInput();
                break;
            case Step.Adopt when !_isReleased:
                Adopt();
                break;
            case Step.ShutdownSend when !_isReleased:
                _transport.ShutdownAfterSending();
                break;
            default:
                break;
        }
    }

    private void EndInputFlush()
    {
        var result = _inputFlush.GetResult();
        if (result.IsCompleted)
        {
            // Nobody reads any more. What the peer still sends is left to the socket.
            EndInput(error: null);
            if (!_isReleased)
            {
                _transport.Pause();
            }
        }
        else if (!_isHeld && !_isReleased)
        {
            _transport.Resume();
        }
    }

    private void EndInput(Exception? error)
    {
        if (!_isInputOver)
        {
            _isInputOver = true;
            _input.Writer.Complete(Volatile.Read(ref _abortReason) ?? Translate(error));

            // Not here on the owner: what is registered with the token is user code.
            _ = _closing.CancelAsync();
        }
    }

    // Kestrel looks for this type: that a client went away is nothing to log as an error.
    private static Exception? Translate(Exception? error) =>
        error is IOException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionReset } } ? new ConnectionResetException(error.Message, error) : error;

    private void ReadOutput()
    {
        _outputRead = _output.Reader.ReadAsync().GetAwaiter();
        if (_outputRead.IsCompleted)
        {
            EndOutputRead();
        }
        else
        {
            _isOutputAwaited = true;
            _outputRead.UnsafeOnCompleted(_onOutputReadable);
        }
    }

    private void EndOutputRead()
    {
        var result = _outputRead.GetResult();
        if (_transport.IsClosed)
        {
            Release();
        }
        else if (!result.Buffer.IsEmpty)
        {
            // OnDrained reads on.
            var piece = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, MaxPieceBytes));
            foreach (var segment in piece)
            {
                segment.Span.CopyTo(_transport.GetSpan(segment.Length));
                _transport.Commit(segment.Length);
            }

            _output.Reader.AdvanceTo(piece.End);
        }
        else if (!result.IsCompleted)
        {
            _output.Reader.AdvanceTo(result.Buffer.End);
            ReadOutput();
        }
        else
        {
            EndOutput();
        }
    }

    // Kestrel is done with the connection, and everything that it wrote was sent.
    private void EndOutput()
    {
        if (Volatile.Read(ref _adoption) is null)
        {
            _transport.CloseAfterSending();
        }
        else
        {
            // Not from within a callback of the transport that is given away.
            _owner.Post(this, null, (long)Step.Adopt);
        }
    }

    // The socket is closed or somebody else's, and nothing of it calls here any more.
    private void Release()
    {
        _isReleased = true;
        WithdrawAdoption("the connection failed");
        EndInput(error: null);
        _output.Reader.Complete();
        _released.TrySetResult();
    }

    private static string MakeId() => $"S{Interlocked.Increment(ref _lastId):X12}";

    private void SetFeatures()
    {
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
        Features.Set(this);
    }
}
