using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

// What the runtime counts on the loop's thread, and in the whole process, between two messages of a real connection.
[Collection(nameof(Alone))]
public sealed partial class EngineHostTests
{
    [Theory]
    [InlineData(EngineKind.Epoll, 20, 1_000_000, 256)]
    [InlineData(EngineKind.IoUring, 20, 1_000_000, 256)]
    [InlineData(EngineKind.Epoll, 16 * 1024, 20_000, 4)]
    [InlineData(EngineKind.IoUring, 16 * 1024, 20_000, 4)]
    [InlineData(EngineKind.Epoll, 64 * 1024, 5000, 2)]
    [InlineData(EngineKind.IoUring, 64 * 1024, 5000, 2)]
    public async Task EchoedMessages_AllocateNothing(EngineKind engine, int bytes, int count, int inFlight)
    {
        var handler = new CountingHandler(count);
        await using var app = await StartAsync(engine, app => app.MapShockwave("/echo", handler.Echo));
        using var socket = Connect(app, "/echo");
        byte[] frames = Repeat(Frame(bytes), inFlight);
        byte[] answers = new byte[inFlight * HeaderLengthOf(bytes) + inFlight * bytes];
        for (int sent = 0; sent < handler.MessageCount; sent += inFlight)
        {
            SendAll(socket, frames);
            ReceiveAll(socket, answers);
        }

        handler.AssertNothingAllocated();
    }

    [Theory]
    [InlineData(EngineKind.Epoll)]
    [InlineData(EngineKind.IoUring)]
    public async Task MessagesInPieces_AllocateNothing(EngineKind engine)
    {
        const int Bytes = 10_000, Count = 10_000, Pieces = 3;
        var handler = new CountingHandler(Count);
        await using var app = await StartAsync(engine, app => app.MapShockwave("/echo", handler.Echo));
        using var socket = Connect(app, "/echo");
        byte[] frame = Frame(Bytes);
        byte[] answer = new byte[HeaderLengthOf(Bytes) + Bytes];
        byte[] ping = RawFrame.Masked(0x89, []);
        byte[] pong = new byte[2];
        for (int sent = 0; sent < handler.MessageCount; sent++)
        {
            // What lies in front of the cut has been read once the ping in front of that is answered; so every message is cut.
            int piece = frame.Length / Pieces;
            SendAll(socket, ping);
            SendAll(socket, frame.AsSpan(0, piece));
            ReceiveAll(socket, pong);
            SendAll(socket, frame.AsSpan(piece, piece));
            SendAll(socket, frame.AsSpan(2 * piece));
            ReceiveAll(socket, answer);
        }

        handler.AssertNothingAllocated();
    }

    [Theory]
    [InlineData(EngineKind.Epoll)]
    [InlineData(EngineKind.IoUring)]
    public async Task QueueThatFillsAndDrains_AllocatesNothing(EngineKind engine)
    {
        const int Bytes = 16 * 1024, Count = 40;
        var handler = new CountingHandler(Count);
        await using var app = await StartAsync(engine, app => app.MapShockwave("/fill", handler.Fill));
        using var socket = Connect(app, "/fill", receiveBufferBytes: 8 * 1024);
        byte[] request = Frame(Bytes);
        byte[] answer = new byte[HeaderLengthOf(Bytes) + Bytes];
        for (int sent = 0; sent < handler.MessageCount; sent++)
        {
            // Nothing is read until the server has as much waiting as it may, and says so with its last message.
            SendAll(socket, request);
            do
            {
                ReceiveAll(socket, answer);
            }
            while (answer[^1] == 0);
        }

        handler.AssertNothingAllocated();
    }

    private static int HeaderLengthOf(int bytes) => bytes < 126 ? 2 : bytes <= ushort.MaxValue ? 4 : 10;

    private static byte[] Frame(int bytes) => RawFrame.Masked(0x82, new byte[bytes]);

    private static byte[] Repeat(byte[] bytes, int count) => [.. Enumerable.Repeat(bytes, count).SelectMany(each => each)];

    private static Task<TestApplication> StartAsync(EngineKind engine, Action<WebApplication> map) => TestApplication.StartAsync(
        map,
        configure: null,
        ("Shockwave:Engine", $"{engine}"),
        ("Shockwave:Loops", "1"));

    // Blocking calls on the test's own thread: they allocate nothing either.
    private static Socket Connect(TestApplication app, string path, int receiveBufferBytes = 256 * 1024)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = receiveBufferBytes };
        socket.Connect(IPAddress.Loopback, new Uri(app.Address).Port);
        SendAll(socket, Encoding.ASCII.GetBytes(RawClient.Handshake(path)));
        var head = new StringBuilder();
        byte[] next = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            ReceiveAll(socket, next);
            head.Append((char)next[0]);
        }

        return socket;
    }

    private static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    private static void ReceiveAll(Socket socket, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int received = socket.Receive(bytes);
            Assert.True(received > 0);
            bytes = bytes[received..];
        }
    }

    private sealed class CountingHandler(int count)
    {
        // As much waits as the pool has buffers for; the rest of what is written lies in the kernel.
        private const int EnoughWaiting = 384 * 1024;

        // The first run is the warm-up. A queue may become longer than ever before also in the second; what goes with messages is in all.
        private const int Runs = 3;

        private readonly byte[] _payload = new byte[16 * 1024];
        private readonly long[] _loop = new long[Runs + 1];
        private readonly long[] _process = new long[Runs + 1];
        private int _received;

        /// <summary>Gets how many messages there must be.</summary>
        public int MessageCount => (Runs * count) + 1;

        public void Echo(WebSocketConnection connection, in Message message)
        {
            CountMessage();
            connection.WriteMessage(message.Payload, message.Type);
        }

        public void Fill(WebSocketConnection connection, in Message message)
        {
            CountMessage();
            _payload[^1] = 0;
            while (connection.BufferedBytes < EnoughWaiting)
            {
                connection.WriteMessage(_payload, MessageType.Binary);
            }

            _payload[^1] = 1;
            connection.WriteMessage(_payload, MessageType.Binary);
        }

        public void AssertNothingAllocated()
        {
            Assert.True(_received >= MessageCount, "The last message was not reached.");
            var loop = Enumerable.Range(1, Runs - 1).Select(run => _loop[run + 1] - _loop[run]).ToArray();
            var others = Enumerable.Range(1, Runs - 1).Select(run => _process[run + 1] - _process[run] - loop[run - 1]).ToArray();
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{string.Join(", ", loop)} B on the loop, {string.Join(", ", others)} B elsewhere in the process, in runs of {count} messages");
            Assert.Contains(0, loop);

            // The server's date header, made anew each second, and whatever else has a clock: nothing that goes with the messages.
            Assert.InRange(others.Min(), 0, 64 * 1024);
        }

        private void CountMessage()
        {
            if (_received % count == 0 && _received / count <= Runs)
            {
                _process[_received / count] = GC.GetTotalAllocatedBytes(precise: true);
                _loop[_received / count] = GC.GetAllocatedBytesForCurrentThread();
            }

            _received++;
        }
    }
}
