using Shockwave.Engine;

namespace Shockwave.Tests;

/// <summary>A transport without a socket: receives what the test gives it and swallows, and counts, what is sent.</summary>
internal sealed class MemoryTransport(ConnectionOwner owner) : Transport(owner)
{
    public long SentBytes { get; private set; }

    public int Receive(Span<byte> bytes) => Handler.OnReceived(bytes);

    public void HangUp() => Handler.OnHangUp();

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
