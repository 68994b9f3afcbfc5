namespace Shockwave.Engine.Tests;

/// <summary>Sends back what it receives, and closes when the peer ends.</summary>
internal sealed class EchoConnection(SocketTransport transport, Action closed) : ITransportHandler
{
    public bool ClosesAfterFirst { get; init; }

    public TaskCompletionSource? Drained { get; set; }

    public static EchoConnection Start(SocketTransport transport, Action? closed = null)
    {
        var connection = new EchoConnection(transport, closed ?? (() => { }));
        transport.Attach(connection);
        transport.Start();
        return connection;
    }

    int ITransportHandler.OnReceived(Span<byte> bytes)
    {
        bytes.CopyTo(transport.GetSpan(bytes.Length));
        transport.Commit(bytes.Length);
        if (ClosesAfterFirst)
        {
            transport.CloseAfterSending();
        }

        return bytes.Length;
    }

    void ITransportHandler.OnReceiveEnded(Exception? error)
    {
        if (error is null)
        {
            transport.CloseAfterSending();
        }
        else
        {
            transport.Abort();
        }
    }

    void ITransportHandler.OnDrained() => Drained?.TrySetResult();

    void ITransportHandler.OnFailed(Exception error) => transport.Abort();

    void ITransportHandler.OnDeadline()
    {
    }

    void ITransportHandler.OnClosed() => closed();
}
