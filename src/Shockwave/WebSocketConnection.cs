using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Claims;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>One WebSocket connection, on a server or a client.</summary>
/// <remarks>
/// Every member may be called from any thread. A message that is written is sent whole, never interleaved with another; messages written
/// by one thread keep their order. A connection belongs to one owner, on which its frames are parsed and its handler is called; its state
/// is touched only there, without locks, and other threads post. Received messages go either to a handler or to pull reads
/// (<see cref="ReadMessageAsync"/>), one read at a time. The connection ends by the closing handshake, by <see cref="Abort"/>, or when
/// the network fails; <see cref="Completion"/> then completes, and it never fails.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The reader is given back when the connection ends; there is nothing for a user to dispose.")]
public sealed partial class WebSocketConnection : ITransportHandler, IOwnerWork
{
    private static long _lastId;

    // An idle connection is this object and its transport; what few connections need is in the extras, made when it is asked for.
    private readonly Transport _transport;
    private readonly Shard _shard;
    private readonly ConnectionSettings _settings;
    private readonly MessageDispatcher _dispatcher;
    private readonly UpgradeDetails _upgrade;
    private readonly StoredEndPoint _remoteEndPoint;
    private readonly EndpointRole _role;
    private ConnectionExtras? _extras;

    internal WebSocketConnection(Shard shard, Transport transport, EndpointRole role, ConnectionSettings settings, MessageDispatcher dispatcher, UpgradeDetails upgrade)
    {
        Id = Interlocked.Increment(ref _lastId);
        _shard = shard;
        _transport = transport;
        _role = role;
        _settings = settings;
        _dispatcher = dispatcher;
        _upgrade = upgrade.Shrink(out _remoteEndPoint);
        transport.Attach(this);
    }

    /// <summary>Gets the connection's number: unique in this process, never reused.</summary>
    public long Id { get; }

    /// <summary>Gets the subprotocol that was agreed on in the opening handshake; <see langword="null"/> for none.</summary>
    public string? Subprotocol => _upgrade.Subprotocol;

    /// <summary>Gets who authenticated at the upgrade; <see langword="null"/> on a client, or without authentication.</summary>
    public ClaimsPrincipal? User => _upgrade.User;

    /// <summary>Gets the route values of the request that was upgraded, copied; empty on a client.</summary>
    public IReadOnlyDictionary<string, object?> RouteValues => _upgrade.RouteValues;

    /// <summary>Gets the peer's address as the upgrade saw it, after forwarded headers; <see langword="null"/> where there is none.</summary>
    public EndPoint? RemoteEndPoint => _remoteEndPoint.ToEndPoint() ?? _upgrade.RemoteEndPoint;

    /// <summary>Gets the trace that the upgrade request belonged to, to link to; default if there was none that is recorded.</summary>
    public ActivityContext TraceContext => _upgrade.TraceContext;

    /// <summary>Gets or sets what the application keeps for this connection. Not synchronised.</summary>
    public object? State { get; set; }

    /// <summary>Gets a dictionary for the application's own use, made when first asked for. Not synchronised.</summary>
    public IDictionary<string, object?> Items => Extras.Items;

    /// <summary>Gets whether messages can still be sent: no Close frame was sent and the connection has not ended.</summary>
    public bool IsOpen => !Volatile.Read(ref _isSendingClosed);

    /// <summary>Gets how many bytes are buffered for the peer and not yet taken by the socket, those on their way to the owner included.</summary>
    public long BufferedBytes => _transport.UnsentBytes + Volatile.Read(ref _postedBytes);

    /// <summary>Gets a task that completes, and never fails, when the connection has ended. The handler's last call may still be under way.</summary>
    public Task Completion => Extras.Completion;

    /// <summary>Gets how the connection ended; <see langword="null"/> while it has not.</summary>
    public CloseInfo? CloseInfo => Volatile.Read(ref _extras)?.CloseInfo;

    /// <summary>
    /// Gets a token that is cancelled when the connection has ended; or earlier, while an asynchronous handler is busy, when the peer hangs
    /// up or <see cref="ConnectionOptions.HandlerTimeout"/> passes.
    /// </summary>
    public CancellationToken Closed => Extras.Closed;

    internal ConnectionOwner Owner => _transport.Owner;

    internal int DirectSlot => _transport.DirectSlot;

    /// <summary>Gets or sets its place in the shard's list; -1 while it has none. The shard's to set.</summary>
    internal int ShardIndex { get; set; } = -1;

    // Any thread may be the first to ask.
    private ConnectionExtras Extras => Volatile.Read(ref _extras) ?? Interlocked.CompareExchange(ref _extras, new(), null) ?? _extras;

    /// <summary>Begins: the handler learns of the connection, then receiving starts.</summary>
    internal void Start() => Owner.Post(this, null, (long)Posted.Start);

    /// <summary>As <see cref="Start"/>, on the owner and at once: the transport may be receiving already.</summary>
    internal void StartNow() => ((IOwnerWork)this).Run(null, (long)Posted.Start);

    /// <inheritdoc />
    public override string ToString() => $"connection {Id}{(RemoteEndPoint is { } peer ? $" with {peer}" : "")}";

    // What other threads, and the connection itself, ask the owner for. In the low byte of the posted argument.
    private enum Posted : byte
    {
        Start,
        Write,
        QueueWrite,
        Close,
        Abort,
        Ping,
        ReadMore,
        HandlerCompleted,
        Subscribe,
        Unsubscribe,
        End,
    }

    void IOwnerWork.Run(object? state, long argument)
    {
        try
        {
            // What was published before this was posted comes first.
            _shard.Topics.DeliverWaiting();
            RunPosted(state, argument);
        }
        catch (Exception e)
        {
            FailUnexpectedly(e);
        }
    }

    private void RunPosted(object? state, long argument)
    {
        switch ((Posted)(byte)argument)
        {
            case Posted.Start:
                OnStart();
                break;
            case Posted.Write:
                WritePosted((byte[])state!, argument);
                break;
            case Posted.QueueWrite:
                EnqueueWrite((QueuedWrite)state!);
                break;
            case Posted.Close:
                var request = (CloseRequest)state!;
                BeginClose(request.Code, request.Reason, cause: null);
                break;
            case Posted.Abort:
                EndAbnormally((Exception?)state);
                break;
            case Posted.Ping:
                SendPing((PingRequest)state!);
                break;
            case Posted.ReadMore:
                ResumeReading();
                break;
            case Posted.HandlerCompleted:
                OnHandlerCompleted((Exception?)state);
                break;
            case Posted.Subscribe:
            case Posted.Unsubscribe:
                ChangeSubscription((string)state!, (Posted)(byte)argument);
                break;
            default:
                End();
                break;
        }
    }

    private void OnStart()
    {
        _shard.Add(this);

        // Here and not in the constructor: compressors are the owner's.
        _compression = _upgrade.Compression is { } agreed ? new ConnectionCompression(agreed, _shard, _role, _settings) : null;
        _reader = _compression is null ? null : new MessageReader(_role, _settings.Limits, Owner.Buffers, _compression.Inflaters);
        if (_role == EndpointRole.Server && _compression is null)
        {
            // Whatever frame the others get is this peer's as well.
            _transport.BeginDirect();
        }

        _lastReceived = _lastPing = Owner.TurnTimestamp;
        UpdateDeadline();
        try
        {
            _dispatcher.Open(this);
        }
        catch (Exception e)
        {
            FailHandler(e);
        }

        CleanContext.Restore();
        _transport.Start();
    }
}
