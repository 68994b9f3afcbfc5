namespace Shockwave.Testing;

/// <summary>The other end of a connection, which does what the test says. Any thread.</summary>
internal sealed class FakePeer(FakeSocket socket, int port)
{
    private bool _isGone;

    /// <summary>Gets the program's end.</summary>
    public FakeSocket Inner => socket;

    /// <summary>Gets the descriptor of the program's end; -1 while it has none.</summary>
    public int Socket => socket.Number;

    /// <summary>Gets our port, at 127.0.0.1.</summary>
    public int Port { get; } = port;

    /// <summary>Gets how many bytes the program has sent, taken or not.</summary>
    public long SentToUs { get; private set; }

    /// <summary>Gets how many bytes we sent.</summary>
    public long SentByUs { get; private set; }

    /// <summary>Gets whether the program has ended its side; there may be something left to take.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Gets whether we have ended our side.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Gets whether the program reset the connection.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Gets whether we reset the connection.</summary>
    public bool HasReset { get; private set; }

    /// <summary>Gets how many bytes wait to be taken.</summary>
    public int Available => socket.UntakenBytes;

    /// <summary>Gets or sets where the sizes of the program's sends are noted.</summary>
    public List<int>? Sends { get; set; }

    /// <summary>Gets or sets how many bytes the program can send before somebody takes them.</summary>
    public int Capacity
    {
        get => socket.SendCapacity;
        set => socket.SendCapacity = value;
    }

    /// <summary>Gets or sets how many bytes the program's end holds for it; the others wait in the network.</summary>
    public int Window
    {
        get => socket.ReceiveCapacity;
        set => socket.ReceiveCapacity = value;
    }

    /// <summary>Answers the program that connects to us.</summary>
    public void Accept() => Answer(0);

    /// <summary>Lets the program's connect fail, with any error.</summary>
    public void Refuse(int errno) => Answer(errno);

    /// <summary>Sends bytes: they are there at once, as far as they fit.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        lock (socket.Kernel.Sync)
        {
            SentByUs += bytes.Length;
            socket.OnData(bytes);
        }
    }

    /// <summary>Ends our side (FIN); the program may still send.</summary>
    public void End()
    {
        lock (socket.Kernel.Sync)
        {
            HasEnded = true;
            socket.OnEnd();
        }
    }

    /// <summary>Closes: FIN, and RST in answer to whatever comes after it.</summary>
    public void Close()
    {
        lock (socket.Kernel.Sync)
        {
            _isGone = true;
            End();
        }
    }

    /// <summary>Resets the connection (RST).</summary>
    public void Reset()
    {
        lock (socket.Kernel.Sync)
        {
            HasReset = true;
            socket.OnReset();
        }
    }

    /// <summary>Takes some of what the program sent.</summary>
    public int Take(Span<byte> target)
    {
        lock (socket.Kernel.Sync)
        {
            return socket.Take(target);
        }
    }

    /// <summary>Takes everything that the program sent.</summary>
    public byte[] TakeAll()
    {
        byte[] bytes = new byte[Available];
        Take(bytes);
        return bytes;
    }

    private void Answer(int errno)
    {
        lock (socket.Kernel.Sync)
        {
            socket.OnAnswered(errno);
        }
    }

    /// <summary>The program has sent.</summary>
    public void OnSent(int count)
    {
        SentToUs += count;
        Sends?.Add(count);
        if (_isGone)
        {
            Reset();
        }
    }

    /// <summary>The program has ended its side.</summary>
    public void OnEnd() => IsEnded = true;

    /// <summary>The program has reset the connection.</summary>
    public void OnReset() => WasReset = true;
}
