using System.Text;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

/// <summary>A connection on a fake kernel: notes what its transport tells it, and does what the test wants.</summary>
internal sealed class FakeConnection : ITransportHandler, IOwnerWork
{
    public FakeConnection(SocketTransport transport, FakePeer peer)
    {
        Peer = peer;
        Transport = transport;
        transport.Attach(this);
    }

    public delegate int Consumer(Span<byte> bytes);

    public SocketTransport Transport { get; private set; }

    public FakePeer Peer { get; }

    public List<byte> Received { get; } = [];

    /// <summary>Gets the calls that brought no bytes.</summary>
    public List<string> Calls { get; } = [];

    public string Text => Encoding.ASCII.GetString([.. Received]);

    public Consumer OnReceived { get; set; } = bytes => bytes.Length;

    public Action OnDrained { get; set; } = () => { };

    public Action OnEnded { get; set; } = () => { };

    public Action OnHangUp { get; set; } = () => { };

    public Action OnDeadline { get; set; } = () => { };

    public Action OnClosed { get; set; } = () => { };

    public DetachedSocket? Detached { get; private set; }

    public bool IsClosed => Calls.Contains("closed");

    public void Write(int count, byte value = 0x55)
    {
        Transport.GetSpan(count)[..count].Fill(value);
        Transport.Commit(count);
    }

    int ITransportHandler.OnReceived(Span<byte> bytes)
    {
        Assert.False(IsClosed);
        int consumed = OnReceived(bytes);
        Received.AddRange(bytes[..consumed]);
        return consumed;
    }

    void ITransportHandler.OnReceiveEnded(Exception? error) => Note(error is null ? "ended" : "receive failed", OnEnded);

    void ITransportHandler.OnHangUp() => Note("hung up", OnHangUp);

    void ITransportHandler.OnDrained() => Note("drained", OnDrained);

    void ITransportHandler.OnFailed(Exception error)
    {
        Note("failed", () => { });
        Transport.Abort();
    }

    void ITransportHandler.OnDeadline() => Note("deadline", OnDeadline);

    void ITransportHandler.OnClosed() => Note("closed", OnClosed);

    void IOwnerWork.Run(object? state, long argument) => Detached = (DetachedSocket)state!;

    private void Note(string call, Action action)
    {
        Assert.False(IsClosed);
        Calls.Add(call);
        action();
    }
}
