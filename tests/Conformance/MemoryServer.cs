using System.Buffers;
using Shockwave.Engine;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>A server over in-memory streams whose clock stands still. It echoes, or does what it is given.</summary>
internal sealed class MemoryServer
{
    private readonly ShockwaveServer _server;
    private readonly MessageDispatcher _dispatcher;

    public MemoryServer(MessageDelegate? handler = null)
    {
        var time = new ManualTimeProvider();
        var options = new ShockwaveOptions
        {
            MaxMessageBytes = IllegalFrame.Limits.MaxMessageBytes,
            MaxFrameBytes = IllegalFrame.Limits.MaxFrameBytes,
            MaxFragmentsPerMessage = IllegalFrame.Limits.MaxFragmentsPerMessage,
        };
        _server = new ShockwaveServer(new StrandGroup(time, 2).Strands, new ConnectionSettings(options, time), ConnectionEvents.None);
        _dispatcher = new DelegateHandler(handler ?? Echo).CreateDispatcher();
    }

    /// <summary>Has a client send everything, end its side and read to the end. The server reads it in these chunks.</summary>
    public async Task<(IReadOnlyList<ReceivedFrame> Frames, CloseInfo Info)> ServeAsync(byte[] sent, IReadOnlyList<int> chunks, bool isCompressionOn = false)
    {
        var (client, stream) = DuplexStream.CreatePair();
        var shard = _server.NextShard();
        var upgrade = isCompressionOn ? UpgradeDetails.None with { Compression = new PermessageDeflateParameters(true, true, 15, 15) } : UpgradeDetails.None;
        await client.WriteAsync(sent);
        client.CompleteWriting();
        var connection = _server.Accept(shard, new StreamTransport(shard.Owner, new ChunkedReadStream(stream, chunks)), _dispatcher, upgrade);

        var frames = new List<ReceivedFrame>();
        using var reader = new FrameReader(EndpointRole.Client, allowCompressed: isCompressionOn);
        while (true)
        {
            int count = await client.ReadAsync(reader.GetMemory(4096));
            if (count == 0)
            {
                break;
            }

            reader.Advance(count);
            while (reader.ReadFrame(out var header, out var payload) == OperationStatus.Done)
            {
                frames.Add(new ReceivedFrame(header.Opcode, payload.ToArray()));
            }

            Assert.Null(reader.Violation);
        }

        await connection.Completion;
        return (frames, connection.CloseInfo!.Value);
    }

    private static void Echo(WebSocketConnection connection, in Message message) => connection.WriteMessage(message.Payload, message.Type);
}
