using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Shockwave.Engine;

/// <summary>A transport whose socket an event loop waits for: what epoll and io_uring have in common.</summary>
/// <remarks>
/// Bytes are delivered from the loop's own memory. Only what a paused handler left is kept, in a pooled buffer, and delivered first after
/// the resume. What the handler writes while bytes are delivered to it leaves right behind the delivery, in one send.
/// </remarks>
internal abstract class SocketTransport(EventLoop loop, int socket) : Transport(loop)
{
    /// <summary>The most bytes that one connection receives in one turn before the others have theirs.</summary>
    public const int MaxReceiveBytes = 64 * 1024;

    // What is still thrown away of a connection that is closed properly: closing over unread bytes would reset it, and the peer would
    // not see what was sent last.
    private const int MaxDiscardedBytes = 256 * 1024;

    private byte[]? _rest;
    private int _restStart;
    private int _restEnd;
    private IOwnerWork? _detachTo;
    private bool _isClosedReported;

    /// <summary>Gets the socket's descriptor; -1 once it is closed or detached.</summary>
    public int Socket { get; private set; } = socket;

    /// <summary>Gets the peer's address; <see langword="null"/> once the socket is closed.</summary>
    public IPEndPoint? RemoteEndPoint => SocketAddresses.Get(Loop.System, Socket, isPeer: true);

    /// <summary>Gets our own address; <see langword="null"/> once the socket is closed.</summary>
    public IPEndPoint? LocalEndPoint => SocketAddresses.Get(Loop.System, Socket, isPeer: false);

    // Not a field: a million connections would each have it once more.
    private EventLoop Loop => (EventLoop)Owner;

    /// <summary>Gets or sets whether the handler is one that hardly ever pauses: receiving may then run ahead of it.</summary>
    public bool NeverPauses { get; set; }

    /// <summary>Gets whether the handler is being called with received bytes.</summary>
    protected bool IsDelivering { get; private set; }

    /// <summary>Gets whether the end was received: nothing follows.</summary>
    protected bool IsReceiveEnded { get; private set; }

    protected bool HasRest => _restStart < _restEnd;

    /// <summary>Says that this one's turn is next.</summary>
    public void PrefetchHandler() => Prefetcher.Load(Handler, EventLoop.ServedBytes);

    /// <summary>Gives back bytes that were received: they are delivered again, before anything else. While paused or not yet started.</summary>
    public void Unread(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty && !IsClosed)
        {
            Join(bytes, Rest);
        }
    }

    /// <summary>
    /// Takes the socket away from this loop, with what was received and not consumed: <c>then.Run</c> gets a <see cref="DetachedSocket"/>,
    /// on this loop, at once or when a receive that was under way has ended. The transport is of no use afterwards, and its handler hears
    /// nothing more.
    /// </summary>
    /// <remarks>
    /// Only while receiving is paused and nothing is unsent. From within a delivery it happens when that is over; a close that comes
    /// first wins.
    /// </remarks>
    public void Detach(IOwnerWork then)
    {
        Debug.Assert(IsPaused && UnsentBytes == 0 && !IsClosed, "A socket is detached between two messages.");
        if (IsDelivering)
        {
            _detachTo = then;
            return;
        }

        DetachSocket(then);
    }

    protected abstract void DetachSocket(IOwnerWork then);

    protected void Detached(IOwnerWork then)
    {
        var detached = new DetachedSocket(Socket, Rest.ToArray());
        _isClosedReported = true;
        LetGo();
        ReleaseRest();
        Socket = -1;
        Loop.CountConnection(-1);
        then.Run(detached, 0);
    }

    /// <summary>Hands bytes to the handler, and keeps what it leaves when it pauses.</summary>
    /// <returns>Whether more may be received.</returns>
    protected bool Deliver(Span<byte> bytes) => Deliver(inWindow: 0, bytes);

    /// <summary>The same, when bytes landed in the handler's window first.</summary>
    protected bool Deliver(int inWindow, Span<byte> bytes)
    {
        int consumed = CallHandler(inWindow, bytes);
        if (consumed < bytes.Length && !IsClosed)
        {
            Keep(bytes[consumed..]);
        }

        return AfterDelivery();
    }

    /// <summary>Hands over what an earlier delivery left.</summary>
    /// <returns>Whether more may be received.</returns>
    protected bool DeliverRest()
    {
        // Taken out during the call: the handler may give something back.
        byte[] buffer = _rest!;
        int end = _restEnd;
        int start = _restStart;
        _rest = null;
        _restStart = _restEnd = 0;
        start += CallHandler(0, buffer.AsSpan(start, end - start));
        if (start < end && _rest is null && !IsClosed)
        {
            (_rest, _restStart, _restEnd) = (buffer, start, end);
            return AfterDelivery();
        }

        if (start < end && !IsClosed)
        {
            Keep(buffer.AsSpan(start, end - start));
        }

        Owner.Buffers.Return(buffer);
        return AfterDelivery();
    }

    /// <summary>Keeps bytes for the time after the pause, behind what is kept already.</summary>
    protected void Keep(ReadOnlySpan<byte> bytes) => Join(Rest, bytes);

    protected void EndReceiving(Exception? error)
    {
        IsReceiveEnded = true;
        try
        {
            Handler.OnReceiveEnded(error);
        }
        catch (Exception e)
        {
            Handler.OnFailed(e);
        }
    }

    protected void ReportHangUp()
    {
        try
        {
            Handler.OnHangUp();
        }
        catch (Exception e)
        {
            Handler.OnFailed(e);
        }
    }

    protected void DiscardUnread() => Loop.System.Discard(Socket, MaxDiscardedBytes);

    /// <summary>Reports the end once nothing uses the socket or its buffers any more.</summary>
    protected void ReportClosed()
    {
        if (IsClosed && !IsDelivering && !_isClosedReported)
        {
            _isClosedReported = true;
            ReleaseRest();
            Socket = -1;
            Loop.CountConnection(-1);
            Closed();
        }
    }

    protected static Exception ToException(int errno, string systemCall) => errno == Errno.ECONNRESET || errno == Errno.EPIPE
        ? new IOException("The peer reset the connection.", new SocketException((int)SocketError.ConnectionReset))
        : new EngineException(systemCall, errno);

    private int CallHandler(int inWindow, Span<byte> bytes)
    {
        IsDelivering = true;
        FlushesItself = true;
        int consumed = bytes.Length;
        try
        {
            if (inWindow > 0)
            {
                Handler.OnReceivedInWindow(inWindow);
            }

            if (!bytes.IsEmpty && !IsClosed)
            {
                consumed = IsPaused ? 0 : Handler.OnReceived(bytes);
            }
        }
        catch (Exception e)
        {
            Handler.OnFailed(e);
        }

        FlushesItself = false;
        IsDelivering = false;
        return consumed;
    }

    private bool AfterDelivery()
    {
        FlushIfDue();
        Output?.KeepBorrowed();
        if (IsClosed)
        {
            FinishClose();
            return false;
        }

        if (_detachTo is { } then)
        {
            _detachTo = null;
            Detach(then);
            return false;
        }

        if (IsPaused)
        {
            OnPaused();
            return false;
        }

        return true;
    }

    /// <summary>The handler has paused, and what was received is kept.</summary>
    protected virtual void OnPaused()
    {
    }

    /// <summary>Goes on with a close that came during a delivery.</summary>
    protected abstract void FinishClose();

    private Span<byte> Rest => _rest.AsSpan(_restStart, _restEnd - _restStart);

    // Either piece may be what was kept before.
    private void Join(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        int count = first.Length + second.Length;
        byte[] buffer = Owner.Buffers.Rent(count);
        first.CopyTo(buffer);
        second.CopyTo(buffer.AsSpan(first.Length));
        ReleaseRest();
        (_rest, _restStart, _restEnd) = (buffer, 0, count);
    }

    private void ReleaseRest()
    {
        if (_rest is not null)
        {
            Owner.Buffers.Return(_rest);
            _rest = null;
            _restStart = _restEnd = 0;
        }
    }
}

/// <summary>A connected socket without a loop, and what was received from it and not consumed. Whoever has it closes it or opens it on a loop.</summary>
internal sealed record DetachedSocket(int Socket, byte[] Unread);
