using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

// How much is read ahead of a handler that takes a minute, while its peer sends 10 MB without waiting for it.
public sealed class KestrelLimitsTests
{
    private const int MessageBytes = 20_000;
    private const int MessageCount = 10 * 1024 * 1024 / MessageBytes;
    private const int PieceBytes = 1000;
    private const int Others = 5;

    // What one turn receives, with the header of the message that its end cuts.
    private const int OneTurn = (64 * 1024) + 64;

    // Behind the request what was read ahead comes on top.
    [Theory]
    [InlineData(ServerPath.Engine, false, OneTurn)]
    [InlineData(ServerPath.IoUring, false, OneTurn)]
    [InlineData(ServerPath.Plain, false, 64 * 1024)]
    [InlineData(ServerPath.Engine, true, OneTurn + KestrelLimits.MaxReadAheadBytes)]
    [InlineData(ServerPath.IoUring, true, OneTurn + KestrelLimits.MaxReadAheadBytes)]
    [InlineData(ServerPath.Plain, true, 64 * 1024)]
    public async Task PipelinedMessages_StayInTheSocketWhileTheHandlerIsBusy(ServerPath path, bool isBehindTheRequest, int mostHeld)
    {
        var time = new ManualTimeProvider();
        var handler = new GatedHandler();
        await using var app = await TestApplication.StartAsync(
            path,
            app =>
            {
                app.MapShockwave<GatedHandler>("/slow");
                app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(time);
                builder.Services.AddSingleton(handler);
            },
            ("Shockwave:HandlerTimeout", "00:02:00"));
        var others = new List<RawClient>();
        for (int i = 0; i < Others; i++)
        {
            others.Add(await RawClient.ConnectAsync(app));
            await others[i].UpgradeAsync("/echo");
        }

        using var slow = await RawClient.ConnectAsync(app);
        long sent = 0;
        await slow.SendAsync(RawClient.Handshake("/slow"));
        if (!isBehindTheRequest)
        {
            await slow.ReadToAsync("\r\n\r\n");
        }

        var sending = SendAllAsync();
        await handler.Busy.Task;
        for (int second = 0; second < 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            foreach (var other in others)
            {
                Assert.Equal("here", await AskAsync(other, "here"));
            }
        }

        int server = new Uri(app.Address).Port;
        long held = -1;
        for (long before = -2; held != before || held < 0;)
        {
            before = held;
            await AskAsync(others[0], "x");
            held = Volatile.Read(ref sent) - KernelQueues.BytesUnderWay(slow.Port, server) - (MessageBytes + 8);
        }

        Assert.False(sending.IsCompleted);
        Assert.Equal([0], handler.Received);
        Assert.Equal(1 + Others, app.Services.GetRequiredService<IShockwaveServer>().ConnectionCount);
        Assert.InRange(held, 0, mostHeld + PieceBytes);

        handler.Gate.SetResult();
        await sending;
        await handler.Done.Task;
        Assert.Equal(Enumerable.Range(0, MessageCount), handler.Received);
        Assert.Equal(1 + Others, app.Services.GetRequiredService<IShockwaveServer>().ConnectionCount);
        others.ForEach(other => other.Dispose());

        async Task SendAllAsync()
        {
            byte[] payload = new byte[MessageBytes];
            for (int i = 0; i < MessageCount; i++)
            {
                BitConverter.TryWriteBytes(payload, i);

                // In pieces: of one that the kernel has taken in part nobody says how much.
                foreach (byte[] piece in RawFrame.Masked(0x82, payload).Chunk(PieceBytes))
                {
                    Volatile.Write(ref sent, sent + piece.Length);
                    await slow.SendAsync(piece);
                }
            }
        }
    }

    [Theory]
    [InlineData(null, 32 * 1024)]
    [InlineData(3_000_000, 3_000_000)]
    [InlineData(5000, 5000)]
    public void ReadAheadOfKestrelsSockets_IsLoweredUnlessTheApplicationSetsIt(int? configured, long expected)
    {
        var services = new ServiceCollection();
        services.AddShockwave();
        if (configured is { } bytes)
        {
            services.Configure<SocketTransportOptions>(sockets => sockets.MaxReadBufferSize = bytes);
        }

        using var provider = services.BuildServiceProvider();
        Assert.Equal(expected, provider.GetRequiredService<IOptions<SocketTransportOptions>>().Value.MaxReadBufferSize);
    }

    // Pings come in between, and are answered.
    private static async Task<string> AskAsync(RawClient client, string text)
    {
        await client.SendAsync(RawFrame.Masked(0x81, text));
        while (true)
        {
            byte[] header = await client.ReadAsync(2);
            byte[] payload = await client.ReadAsync(header[1]);
            if (header[0] == 0x81)
            {
                return Encoding.UTF8.GetString(payload);
            }

            Assert.Equal(0x89, header[0]);
            await client.SendAsync(RawFrame.Masked(0x8A, payload));
        }
    }

    private sealed class GatedHandler : AsyncWebSocketHandler
    {
        public TaskCompletionSource Busy { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<int> Received { get; } = [];

        public override async ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed)
        {
            Received.Add(BitConverter.ToInt32(message.Payload.Span));
            if (Received.Count == 1)
            {
                Busy.SetResult();
                await Gate.Task;
            }

            if (Received.Count == MessageCount)
            {
                Done.SetResult();
            }
        }
    }
}
