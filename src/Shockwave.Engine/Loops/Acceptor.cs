namespace Shockwave.Engine;

/// <summary>One loop's listening socket. On that loop only.</summary>
/// <remarks>
/// When the process, or the machine, is out of descriptors or memory, accepting pauses and is tried again, later each time. When whoever
/// takes the connections has no room for another, it pauses until <see cref="Resume"/>. Meanwhile the connections wait in the kernel's
/// queue, and the loop does not spin over a socket that stays ready.
/// </remarks>
internal sealed class Acceptor(EventLoop loop, int socket, Action<SocketTransport> accepted, Action<int> exhausted, Func<bool>? hasRoom = null) : TimerEntry
{
    // So many in one turn: the connections that are open already must not wait for a storm of new ones to end.
    private const int MaxAcceptsPerTurn = 64;

    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(1);

    private TimeSpan _pause;
    private bool _isPaused;
    private bool _awaitsRoom;
    private bool _isClosed;

    public int Socket { get; } = socket;

    /// <summary>Gets whether connections are wanted now.</summary>
    public bool IsAccepting => !_isPaused && !_isClosed;

    /// <summary>Gets or sets the number that an io_uring's answers are addressed to; -1 for none.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Begins to accept.</summary>
    public void Open() => Begin(isFirst: true);

    /// <summary>Accepts what waits, as much as fits into one turn.</summary>
    /// <returns>Whether the queue is empty, or cannot be emptied now.</returns>
    public bool AcceptAll()
    {
        for (int i = 0; i < MaxAcceptsPerTurn; i++)
        {
            int result = loop.System.Accept(Socket);
            if (result == -Errno.EAGAIN || !OnAccepted(result))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes the result of one accept: a socket, or an error.</summary>
    /// <returns>Whether it makes sense to go on.</returns>
    public bool OnAccepted(int result)
    {
        if (result < 0)
        {
            return OnFailed(-result);
        }

        SocketTransport transport;
        try
        {
            transport = loop.Open(result);
        }
        catch (EngineException e)
        {
            loop.System.Close(result);
            return OnFailed(e.Errno);
        }

        _pause = TimeSpan.Zero;
        accepted(transport);
        return HasRoom();
    }

    /// <summary>Goes on if there is room again. Harmless when repeated.</summary>
    public void Resume()
    {
        if (_awaitsRoom && hasRoom!())
        {
            _awaitsRoom = false;
            Continue();
        }
    }

    /// <summary>Accepts everybody who waits and closes: a socket that closes over its queue resets those in it. Harmless when repeated.</summary>
    public void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _awaitsRoom = false;
        loop.Timers.Cancel(this);
        loop.Remove(this);
        while (!AcceptAll())
        {
        }

        loop.System.Close(Socket);
    }

    /// <inheritdoc />
    protected internal override void OnDeadline() => Continue();

    private void Continue()
    {
        _isPaused = false;
        Begin(isFirst: false);
    }

    private void Begin(bool isFirst)
    {
        try
        {
            if (isFirst)
            {
                loop.Add(this);
            }
            else
            {
                loop.StartAccepting(this);
            }
        }
        catch (EngineException e)
        {
            PauseFor(e.Errno);
        }
    }

    // Asked after the connection was handed over, and Resume is posted after room was made: one of the two sees the other. One that closes
    // lets everybody in.
    private bool HasRoom()
    {
        if (_isClosed || hasRoom is null || hasRoom())
        {
            return true;
        }

        _awaitsRoom |= TryPause();
        return false;
    }

    private bool OnFailed(int errno)
    {
        // Somebody who left again, or a network that failed: the next one may be there.
        if (!Errno.IsExhausted(errno))
        {
            return errno != Errno.EINVAL;
        }

        PauseFor(errno);
        return false;
    }

    private void PauseFor(int errno)
    {
        if (TryPause())
        {
            _pause = _pause == TimeSpan.Zero ? _firstPause : TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, _longestPause.Ticks));
            loop.Timers.Schedule(this, loop.TurnTimestamp + (long)(_pause.TotalSeconds * loop.Time.TimestampFrequency));
            exhausted(errno);
        }
    }

    private bool TryPause()
    {
        if (_isPaused || _isClosed)
        {
            return false;
        }

        _isPaused = true;
        loop.StopAccepting(this);
        return true;
    }
}
