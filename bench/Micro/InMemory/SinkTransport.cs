using Shockwave.Engine;

namespace Shockwave.Micro;

/// <summary>Swallows what is sent, at once, and receives what it is given.</summary>
internal sealed class SinkTransport(ConnectionOwner owner) : Transport(owner)
{
    /// <summary>Gets how many bytes were sent.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Hands received bytes to the connection. On the owner.</summary>
    /// <returns>How many of them it is done with.</returns>
    public int Receive(Span<byte> bytes) => Handler.OnReceived(bytes);

    protected override void StartReceiving()
    {
    }

    protected override void ResumeReceiving()
    {
    }

    protected override void Send()
    {
        while (Output is { IsEmpty: false } output)
        {
            int count = output[0].Count;
            SentBytes += count;
            Sent(count);
        }
    }

    protected override void ShutdownSend()
    {
    }

    protected override void CloseStream(bool isAbort) => Closed();
}
