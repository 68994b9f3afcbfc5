using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>An open connection whose owner is the benchmark's thread and whose peer is memory.</summary>
internal sealed class MemoryConnection : IDisposable
{
    private readonly ManualOwner _owner = new();
    private readonly byte[] _receiveBuffer = new byte[64 * 1024];

    public MemoryConnection(EndpointRole role, MessageDispatcher dispatcher)
    {
        Transport = new SinkTransport(_owner);
        var settings = new ConnectionSettings(new DefaultOptions(), _owner.Time);
        Connection = new WebSocketConnection(new Shard(_owner, ConnectionEvents.None), Transport, role, settings, dispatcher, UpgradeDetails.None);
        Connection.Start();
        Turn();
    }

    public WebSocketConnection Connection { get; }

    public SinkTransport Transport { get; }

    /// <summary>Sends a message from the owner, in a turn of its own.</summary>
    public SendResult WriteOnOwner(ReadOnlySpan<byte> payload)
    {
        _owner.BeginTurn();
        SendResult result = Connection.WriteMessage(payload, MessageType.Binary);
        _owner.EndTurn();
        return result;
    }

    /// <summary>Sends a message as another thread would, then runs the owner.</summary>
    public SendResult WritePosted(ReadOnlySpan<byte> payload)
    {
        SendResult result = Connection.WriteMessage(payload, MessageType.Binary);
        Turn();
        return result;
    }

    /// <summary>Receives one frame, copied first as from a socket: it is unmasked where it lies.</summary>
    public void Receive(byte[] frame)
    {
        _owner.BeginTurn();
        frame.CopyTo(_receiveBuffer.AsSpan());
        Transport.Receive(_receiveBuffer.AsSpan(0, frame.Length));
        _owner.EndTurn();
    }

    public void Dispose()
    {
        Connection.Abort();
        Turn();
        Turn();
    }

    private void Turn()
    {
        _owner.BeginTurn();
        _owner.EndTurn();
    }

    private sealed class DefaultOptions : ConnectionOptions;
}
