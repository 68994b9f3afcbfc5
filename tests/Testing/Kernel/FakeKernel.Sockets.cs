using System.Buffers.Binary;
using System.Net;
using Shockwave.Engine;

namespace Shockwave.Testing;

internal sealed unsafe partial class FakeKernel
{
    private const int ENOMEM = 12;
    private const int EINVAL = 22;
    private const int ENFILE = 23;
    private const int EPROTO = 71;
    private const int EADDRINUSE = 98;
    private const int ECONNABORTED = 103;
    private const int ENOBUFS = 105;
    private const int ENOTCONN = 107;
    private const int ETIMEDOUT = 110;
    private const int EINPROGRESS = 115;

    // Those that come back when something is freed, and those that concern one connection only.
    private static readonly int[] _acceptErrors = [EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EPROTO, ETIMEDOUT];

    private static readonly byte[] _ownAddress = Loopback(80);

    private readonly List<FakeSocket> _listeners = [];
    private int _nextPort = 49152;
    private int _nextPeer;

    /// <summary>Gets or sets what each new connection is set up with.</summary>
    public Action<FakePeer>? Connecting { get; set; }

    /// <summary>Gets those that the program has connected to, or tried to.</summary>
    public List<FakePeer> Outgoing { get; } = [];

    /// <summary>Gets or sets whether whom the program connects to accepts or refuses when the test says so, and not at once.</summary>
    public bool ConnectsLater { get; set; }

    /// <summary>Connects a peer to a listening port. It waits there until it is accepted; null when nobody listens or the backlog is full.</summary>
    public FakePeer? Connect(int port)
    {
        lock (Sync)
        {
            _listeners.RemoveAll(file => file.Number < 0);
            var listeners = _listeners.FindAll(file => Port(file.Address!) == port);
            if (listeners.Count == 0 || (listeners[Dice.Below(listeners.Count)] is var listener && listener.Backlog!.Count >= listener.BacklogLimit))
            {
                return null;
            }

            var peer = CreateConnection(listener.Address!);
            peer.Inner.IsWaiting = true;
            listener.Backlog.Enqueue(peer.Inner);
            listener.Wake(EpollEvent.IN);
            return peer;
        }
    }

    /// <summary>Makes a connection that is accepted already: <see cref="FakePeer.Socket"/> is the program's end.</summary>
    public FakePeer Connect(bool isNonBlocking)
    {
        lock (Sync)
        {
            var peer = CreateConnection(_ownAddress);
            peer.Inner.IsNonBlocking = isNonBlocking;
            Open(peer.Inner);
            return peer;
        }
    }

    /// <inheritdoc />
    public override int OpenSocket(int family, bool isNonBlocking)
    {
        lock (Sync)
        {
            return Begin(KernelCall.OpenSocket) is var failure and not 0 ? -failure : Open(new FakeSocket(this) { IsNonBlocking = isNonBlocking });
        }
    }

    /// <inheritdoc />
    public override int SetOption(int socket, int level, int option, int value)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.SetOption);
            var file = Get<FakeSocket>(socket);
            switch (level, option)
            {
                case (SocketOption.SOL_SOCKET, SocketOption.SO_REUSEADDR):
                    file.IsAddressReusable = value != 0;
                    break;
                case (SocketOption.SOL_SOCKET, SocketOption.SO_REUSEPORT):
                    file.IsPortShared = value != 0;
                    break;
            }

            return -failure;
        }
    }

    /// <inheritdoc />
    public override int Bind(int socket, ReadOnlySpan<byte> address)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.Bind);
            var file = Get<FakeSocket>(socket);
            byte[] bound = address.ToArray();
            if (Port(bound) == 0)
            {
                BinaryPrimitives.WriteUInt16BigEndian(bound.AsSpan(2), (ushort)_nextPort++);
            }

            foreach (var other in _files.OfType<FakeSocket>().Where(other => other.Address is not null && Port(other.Address) == Port(bound)))
            {
                bool isShared = file.IsPortShared && other.IsPortShared;
                bool isReused = file.IsAddressReusable && other.IsAddressReusable && other.Backlog is null;
                if (other.Peer is null && !isShared && !isReused)
                {
                    return -EADDRINUSE;
                }
            }

            if (failure == 0)
            {
                file.Address = bound;
            }

            return -failure;
        }
    }

    /// <inheritdoc />
    public override int Listen(int socket, int backlog)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.Listen);
            var file = Get<FakeSocket>(socket);
            if (failure == 0)
            {
                file.Listen(backlog);
                _listeners.Add(file);
            }

            return -failure;
        }
    }

    /// <inheritdoc />
    public override int Connect(int socket, ReadOnlySpan<byte> address)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.Connect);
            var file = Get<FakeSocket>(socket);
            int result = Connect(file, address, failure);
            return result == -EINPROGRESS && !file.IsNonBlocking ? throw Misused($"Socket {socket} is a blocking one: the loop would stand still.") : result;
        }
    }

    /// <summary>Connects, or says what came of it.</summary>
    public int Connect(FakeSocket socket, ReadOnlySpan<byte> address, int failure)
    {
        if (failure != 0)
        {
            return -failure;
        }

        if (socket.Peer is null)
        {
            socket.Address = Loopback(_nextPort++);
            socket.Peer = new FakePeer(socket, Port(address.ToArray()));
            socket.IsConnecting = true;
            Connecting?.Invoke(socket.Peer);
            Outgoing.Add(socket.Peer);
            if (!ConnectsLater)
            {
                socket.Peer.Accept();
            }
            else
            {
                return -EINPROGRESS;
            }
        }

        return socket.GetConnectResult();
    }

    /// <inheritdoc />
    public override int Accept(int listener)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.Accept);
            return Accept(Get<FakeSocket>(listener), failure, isNonBlocking: true);
        }
    }

    /// <summary>Accepts a connection, or fails as the script and chance will have it.</summary>
    public int Accept(FakeSocket listener, int failure, bool isNonBlocking)
    {
        if (listener.Backlog is not { } backlog)
        {
            return -EINVAL;
        }

        if (failure == 0 && Dice.OneIn(Faults.AcceptFails))
        {
            failure = _acceptErrors[Dice.Below(_acceptErrors.Length)];
        }

        if (failure != 0)
        {
            if (failure is not (ENOMEM or ENFILE or EMFILE or ENOBUFS or EINTR) && backlog.TryDequeue(out var lost))
            {
                // It left while it waited.
                lost.IsWaiting = false;
                lost.Peer!.Reset();
            }

            return -failure;
        }

        if (!backlog.TryPeek(out var socket))
        {
            return -EAGAIN;
        }

        int number = Open(socket);
        if (number >= 0)
        {
            backlog.Dequeue().IsWaiting = false;
            socket.IsNonBlocking = isNonBlocking;
        }

        return number;
    }

    /// <inheritdoc />
    public override int GetAddress(int socket, bool isPeer, Span<byte> address, out int length)
    {
        lock (Sync)
        {
            Begin(KernelCall.GetAddress);
            var file = Get<FakeSocket>(socket);
            length = 0;
            if (isPeer ? file.Peer is null || file.IsDown || file.IsConnecting : file.Address is null)
            {
                return -ENOTCONN;
            }

            byte[] found = isPeer ? Loopback(file.Peer!.Port) : file.Address!;
            found.CopyTo(address);
            length = found.Length;
            return 0;
        }
    }

    /// <inheritdoc />
    public override int Receive(int socket, void* buffer, nuint length)
    {
        var vector = new IoVector { Base = buffer, Length = length };
        return Receive(socket, &vector, 1);
    }

    /// <inheritdoc />
    public override int Receive(int socket, IoVector* vectors, int count)
    {
        lock (Sync)
        {
            if (Begin(KernelCall.Receive) is var failure and not 0)
            {
                return -failure;
            }

            var file = GetConnected(socket);
            int total = 0;
            for (int i = 0; i < count; i++)
            {
                int received = file.Receive(new Span<byte>(vectors[i].Base, (int)vectors[i].Length));
                if (received < 0)
                {
                    total = total == 0 ? received : total;
                    break;
                }

                total += received;
                if (received < (int)vectors[i].Length)
                {
                    break;
                }
            }

            LetTimePass();
            return WouldBlock(file, total);
        }
    }

    /// <inheritdoc />
    public override int Discard(int socket, nuint length)
    {
        lock (Sync)
        {
            Begin(KernelCall.Discard);
            return GetConnected(socket).Discard((int)length);
        }
    }

    /// <inheritdoc />
    public override int Send(int socket, void* buffer, nuint length)
    {
        var vector = new IoVector { Base = buffer, Length = length };
        return Send(socket, &vector, 1);
    }

    /// <inheritdoc />
    public override int Send(int socket, IoVector* vectors, int count)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.Send);
            var file = GetConnected(socket);
            return failure != 0 ? -failure : WouldBlock(file, SendAll(file, vectors, count));
        }
    }

    /// <inheritdoc />
    public override int ShutdownSend(int socket)
    {
        lock (Sync)
        {
            int failure = Begin(KernelCall.ShutdownSend);
            var file = GetConnected(socket);
            if (file.IsDown)
            {
                return -ENOTCONN;
            }

            if (failure == 0)
            {
                file.ShutdownSend();
            }

            return -failure;
        }
    }

    /// <inheritdoc />
    public override int SetResetOnClose(int socket)
    {
        lock (Sync)
        {
            Begin(KernelCall.SetResetOnClose);
            GetConnected(socket).ResetsOnClose = true;
            return 0;
        }
    }

    private int WouldBlock(FakeSocket file, int result) =>
        result == -EAGAIN && !file.IsNonBlocking ? throw Misused($"Socket {file.Number} is a blocking one: the loop would stand still.") : result;

    private static int Port(byte[] address) => BinaryPrimitives.ReadUInt16BigEndian(address.AsSpan(2));

    public int SendAll(FakeSocket file, IoVector* vectors, int count)
    {
        if (Dice.OneIn(Faults.SendFails))
        {
            return -ENOBUFS;
        }

        int total = 0;
        for (int i = 0; i < count; i++)
        {
            int sent = file.Send(new ReadOnlySpan<byte>(vectors[i].Base, (int)vectors[i].Length));
            total = sent >= 0 ? total + sent : total == 0 ? sent : total;
            if (sent < (int)vectors[i].Length)
            {
                break;
            }
        }

        if (total > 0)
        {
            file.Peer!.OnSent(total);
        }

        return total;
    }

    private FakeSocket GetConnected(int socket)
    {
        var file = Get<FakeSocket>(socket);
        return file is { Peer: not null, IsConnecting: false } ? file : throw Misused($"Socket {socket} is not connected.");
    }

    private static byte[] Loopback(int port)
    {
        var address = new IPEndPoint(IPAddress.Loopback, port).Serialize();
        return address.Buffer[..address.Size].ToArray();
    }

    private FakePeer CreateConnection(byte[] localAddress)
    {
        var socket = new FakeSocket(this) { Address = localAddress };
        socket.Peer = new FakePeer(socket, 1024 + (_nextPeer++ & 0x3FFF));
        Connecting?.Invoke(socket.Peer);
        return socket.Peer;
    }
}
