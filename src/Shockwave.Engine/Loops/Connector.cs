using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>One attempt to connect to one address, on one loop. What comes of it is a transport on that loop, or nothing is left of it.</summary>
/// <remarks>Counts as a connection of its loop meanwhile, which therefore does not end before it. Its own timeout is the kernel's; any other is the caller's token.</remarks>
internal sealed class Connector : IOwnerWork
{
    private readonly EventLoop _loop;
    private readonly IPEndPoint _endPoint;
    private readonly CancellationToken _cancellationToken;
    private readonly TaskCompletionSource<SocketTransport> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _address;
    private CancellationTokenRegistration _registration;
    private bool _isCancelled;
    private bool _isOver;

    private Connector(EventLoop loop, IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        _loop = loop;
        _endPoint = endPoint;
        _cancellationToken = cancellationToken;

        // Pinned: a ring's request points to it until it is submitted.
        var address = SocketAddresses.Write(endPoint);
        _address = GC.AllocateUninitializedArray<byte>(address.Length, pinned: true);
        address.CopyTo(_address);
    }

    private enum Step : byte
    {
        Begin,
        Cancel,
    }

    /// <summary>Gets the socket's descriptor.</summary>
    public int Socket { get; private set; } = -1;

    /// <summary>Gets or sets the number that an io_uring's answer is addressed to.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Gets the address as the kernel has it.</summary>
    public ReadOnlySpan<byte> Address => _address;

    /// <summary>Gets where the address lies. It does not move.</summary>
    public unsafe void* PinnedAddress => Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_address));

    /// <summary>Connects. Any thread.</summary>
    /// <param name="loop">Who the connection will belong to.</param>
    /// <param name="endPoint">The address of IPv4 or IPv6.</param>
    /// <param name="cancellationToken">Ends the attempt. A result that was there before stands.</param>
    /// <returns>The transport, not yet attached and not yet started, with TCP_NODELAY.</returns>
    /// <exception cref="SocketException">The address cannot be reached, or refuses.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the loop ends.</exception>
    public static Task<SocketTransport> ConnectAsync(EventLoop loop, IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        var connector = new Connector(loop, endPoint, cancellationToken);
        loop.Post(connector, null, (long)Step.Begin);
        return connector._connected.Task;
    }

    /// <summary>Gives up. On the loop.</summary>
    public void Cancel()
    {
        if (!_isCancelled && !_isOver)
        {
            _isCancelled = true;
            _loop.CancelConnect(this);
        }
    }

    /// <summary>Takes the result: 0, or an error number negated. Called by the loop, once; the socket is in none of its tables then.</summary>
    public void OnResult(int result)
    {
        // A ring may have connected before the cancel reached it.
        if (result < 0 || _isCancelled)
        {
            Fail(_isCancelled || result == -Errno.ECANCELED ? new OperationCanceledException(_cancellationToken) : SocketErrors.ToException(-result));
            return;
        }

        try
        {
            var transport = _loop.Open(Socket);
            End();
            _connected.TrySetResult(transport);
        }
        catch (EngineException e)
        {
            Fail(e);
        }
    }

    void IOwnerWork.Run(object? state, long argument)
    {
        if ((Step)argument == Step.Cancel)
        {
            Cancel();
            return;
        }

        _loop.CountConnection(1);
        try
        {
            Begin();
        }
        catch (Exception e) when (e is SocketException or EngineException or OperationCanceledException)
        {
            Fail(e);
        }
    }

    private void Begin()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        Socket = Check(_loop.System.OpenSocket(SocketAddresses.FamilyOf(_endPoint), _loop.WantsNonBlockingSockets));
        Check(_loop.System.SetOption(Socket, SocketOption.IPPROTO_TCP, SocketOption.TCP_NODELAY, 1));
        _loop.Connect(this);
        if (!_isOver)
        {
            _registration = _cancellationToken.UnsafeRegister(
                static state => ((Connector)state!)._loop.Post((Connector)state, null, (long)Step.Cancel), this);
        }
    }

    private void Fail(Exception error)
    {
        if (Socket >= 0)
        {
            _loop.System.Close(Socket);
        }

        End();
        _connected.TrySetException(error);
    }

    private void End()
    {
        _isOver = true;
        _loop.CountConnection(-1);
        _registration.Unregister();
    }

    private static int Check(int result) => result >= 0 ? result : throw SocketErrors.ToException(-result);
}
