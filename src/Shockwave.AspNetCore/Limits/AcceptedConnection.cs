using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Shockwave.AspNetCore;

/// <summary>
/// A connection on its way through Kestrel, which counts as a TCP connection until it is upgraded or disposed and has a deadline until
/// its first request. Everything else is the connection of the transport below, its pipe included. Found in the features of its requests.
/// </summary>
internal sealed class AcceptedConnection : ConnectionContext, IDecrementConcurrentConnectionCountFeature
{
    private readonly ConnectionContext _inner;
    private readonly LimitedListener _listener;
    private IDecrementConcurrentConnectionCountFeature? _countOfKestrel;
    private int _hasRequest;
    private int _isReleased;

    public AcceptedConnection(ConnectionContext inner, LimitedListener listener, bool isBeyondLimit)
    {
        _inner = inner;
        _listener = listener;
        IsBeyondLimit = isBeyondLimit;
        inner.Features.Set(this);
    }

    /// <summary>Gets whether there were as many connections as there may be when this one came: its requests are refused.</summary>
    public bool IsBeyondLimit { get; }

    /// <summary>Gets or sets the place among those that wait for their first request. Guarded by <see cref="HandshakeDeadlines"/>.</summary>
    public LinkedListNode<(AcceptedConnection Connection, long Due)>? Deadline { get; set; }

    public override string ConnectionId
    {
        get => _inner.ConnectionId;
        set => _inner.ConnectionId = value;
    }

    public override IFeatureCollection Features => _inner.Features;

    public override IDictionary<object, object?> Items
    {
        get => _inner.Items;
        set => _inner.Items = value;
    }

    public override IDuplexPipe Transport
    {
        get => _inner.Transport;
        set => _inner.Transport = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => _inner.ConnectionClosed;
        set => _inner.ConnectionClosed = value;
    }

    public override EndPoint? LocalEndPoint
    {
        get => _inner.LocalEndPoint;
        set => _inner.LocalEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => _inner.RemoteEndPoint;
        set => _inner.RemoteEndPoint = value;
    }

    /// <summary>The head of a request is complete.</summary>
    /// <param name="mayUpgrade">Whether the whole connection can be upgraded: not so where it carries several requests at once.</param>
    public void OnRequest(bool mayUpgrade)
    {
        if (Volatile.Read(ref _hasRequest) == 1 || Interlocked.Exchange(ref _hasRequest, 1) == 1)
        {
            return;
        }

        _listener.Deadlines.Remove(this);
        if (mayUpgrade)
        {
            // Kestrel tells this feature of an upgrade, whoever asked for it. Its own is there by now, if it counts too.
            _countOfKestrel = Features.Get<IDecrementConcurrentConnectionCountFeature>();
            Features.Set<IDecrementConcurrentConnectionCountFeature>(this);
        }
    }

    void IDecrementConcurrentConnectionCountFeature.ReleaseConnection()
    {
        _countOfKestrel?.ReleaseConnection();
        Release();
    }

    public override void Abort() => _inner.Abort();

    public override void Abort(ConnectionAbortedException abortReason) => _inner.Abort(abortReason);

    public override async ValueTask DisposeAsync()
    {
        _listener.Deadlines.Remove(this);
        Release();
        await _inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) == 0)
        {
            _listener.Release(this);
        }
    }
}
