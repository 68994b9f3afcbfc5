using System.Diagnostics;
using System.Globalization;
using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class WebSocketConnectionTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65535)]
    [InlineData(65536)]
    public async Task Message_IsEchoedAsItCame(int length)
    {
        await using var peer = Peer.Connect(new EchoHandler());
        byte[] payload = new byte[length];
        new Random(length).NextBytes(payload);
        await peer.SendAsync(Opcode.Binary, payload);
        var (header, echoed) = (await peer.ReadFrameAsync())!.Value;
        Assert.Equal(new FrameHeader(Opcode.Binary, length), header);
        Assert.Equal(payload, echoed);
    }

    [Fact]
    public async Task FragmentedText_IsOneMessage()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        byte[] text = Encoding.UTF8.GetBytes("κόσμε");
        for (int cut = 0; cut <= text.Length; cut++)
        {
            await peer.SendAsync(Opcode.Text, text.AsSpan(0, cut), isFinal: false);
            await peer.SendAsync(Opcode.Ping, "between"u8);
            await peer.SendAsync(Opcode.Continuation, text.AsSpan(cut));
            Assert.Equal(Opcode.Pong, (await peer.ReadFrameAsync())!.Value.Header.Opcode);
            Assert.Equal("κόσμε", await peer.ReadTextAsync());
        }
    }

    [Fact]
    public async Task MessagesOfOneReceive_AreAnsweredInOrder()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        using var writer = new FrameWriter(() => 7);
        for (int i = 0; i < 1000; i++)
        {
            writer.WriteFrame(Opcode.Text, Encoding.UTF8.GetBytes($"{i}"));
        }

        await peer.SendBytesAsync(writer.Written.ToArray());
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal($"{i}", await peer.ReadTextAsync());
        }
    }

    [Fact]
    public async Task HandlerThatThrows_ClosesItsConnectionWith1011AndNoOther()
    {
        var handler = new ScriptedHandler
        {
            Received = (connection, text) =>
            {
                if (text == "boom")
                {
                    throw new InvalidOperationException("boom");
                }

                connection.WriteMessage(Encoding.UTF8.GetBytes(text), MessageType.Text);
            },
        };
        await using var victim = Peer.Connect(handler);
        await using var other = victim.Join(new EchoHandler());
        await victim.SendAsync("boom");
        await victim.SendAsync("after");
        Assert.Equal((CloseCode.InternalError, ""), await victim.ReadCloseAsync());
        await victim.SendAsync(Opcode.Close, [0x03, 0xF3]);
        await victim.AssertEndAsync();
        var info = await handler.Closed;
        Assert.IsType<InvalidOperationException>(info.Cause);
        Assert.Equal(["boom"], handler.Messages);
        await other.SendAsync("still here");
        Assert.Equal("still here", await other.ReadTextAsync());
    }

    [Fact]
    public async Task NothingAmbient_PassesFromOneConnectionsHandlerToAnother()
    {
        var ambient = new AsyncLocal<string?>();
        using var source = new ActivitySource("test");
        using var listener = new ActivityListener { ShouldListenTo = _ => true, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        ambient.Value = "test";
        const string clean = "- - .";
        var foreign = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        foreign.NumberFormat.NumberDecimalSeparator = ",";
        using var outer = source.StartActivity("outer");

        var handler = new ScriptedHandler
        {
            Opened = _ => Leak("open"),
            Received = (connection, text) =>
            {
                string seen = $"{ambient.Value ?? "-"} {Activity.Current?.OperationName ?? "-"} {CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator}";
                Leak(text);
                connection.WriteMessage(Encoding.UTF8.GetBytes(seen), MessageType.Text);
            },
        };
        await using var first = Peer.Connect(handler);
        await using var second = first.Join(new ScriptedHandler { Opened = handler.Opened, Received = handler.Received });
        for (int i = 0; i < 100; i++)
        {
            await first.SendAsync("secret of one");
            Assert.Equal(clean, await first.ReadTextAsync());
            await second.SendAsync("secret of two");
            Assert.Equal(clean, await second.ReadTextAsync());
        }

        void Leak(string secret)
        {
            ambient.Value = secret;
            CultureInfo.CurrentCulture = foreign;
            source.StartActivity(secret);
        }
    }

    [Fact]
    public async Task Ping_IsAnsweredWithSamePayload()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        await peer.SendAsync(Opcode.Ping, "payload"u8);
        var (header, payload) = (await peer.ReadFrameAsync())!.Value;
        Assert.Equal(Opcode.Pong, header.Opcode);
        Assert.Equal("payload"u8.ToArray(), payload);
    }

    [Fact]
    public async Task PingAsync_MeasuresTheRoundTrip()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler(), time: time);
        var first = peer.Connection.PingAsync();
        time.Advance(TimeSpan.FromMilliseconds(10));
        var second = peer.Connection.PingAsync();
        var ping = (await peer.ReadFrameAsync())!.Value;
        var later = (await peer.ReadFrameAsync())!.Value;
        time.Advance(TimeSpan.FromMilliseconds(20));

        // RFC 6455 §5.5.3: a pong for the latest ping answers those before it; an unsolicited pong answers none.
        await peer.SendAsync(Opcode.Pong, "heartbeat"u8);
        await peer.SendAsync(Opcode.Pong, new byte[8]);
        await peer.SendAsync(Opcode.Pong, later.Payload);
        Assert.Equal(Opcode.Ping, ping.Header.Opcode);
        Assert.InRange(await first, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(30));
        Assert.Equal(TimeSpan.FromMilliseconds(20), await second);
        Assert.Equal(TimeSpan.FromMilliseconds(20), peer.Connection.RoundTripTime);
    }

    [Fact]
    public async Task ConnectionThatEnds_FailsItsPings()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        var ping = peer.Connection.PingAsync();
        await peer.ReadFrameAsync();
        peer.Stream.Reset();
        await Assert.ThrowsAsync<ConnectionClosedException>(() => ping);
        await Assert.ThrowsAsync<ConnectionClosedException>(() => peer.Connection.PingAsync());
    }

    [Fact]
    public async Task SilentPeer_IsPingedAndThenAborted()
    {
        var time = new ManualTimeProvider();
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler, time: time);
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(26));
        Assert.Equal(Opcode.Ping, (await peer.ReadFrameAsync())!.Value.Header.Opcode);
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(11));
        var info = await handler.Closed;
        Assert.Equal(CloseCode.AbnormalClosure, info.Code);
        Assert.IsType<TimeoutException>(info.Cause);
    }

    [Fact]
    public async Task PeerThatAnswersPings_StaysForHours()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler(), time: time);
        await peer.OwnerIsIdleAsync();
        int pings = 0;
        for (int i = 0; i < 1000; i++)
        {
            await peer.AdvanceAsync(time, TimeSpan.FromSeconds(7));
            await peer.SendAsync("x");
            while ((await peer.ReadFrameAsync())!.Value is { Header.Opcode: Opcode.Ping } ping)
            {
                pings++;
                await peer.SendAsync(Opcode.Pong, ping.Payload);
            }
        }

        Assert.InRange(pings, 7000 / 26, 7000 / 25);
        Assert.True(peer.Connection.IsOpen);
    }

    [Fact]
    public async Task IdlePeer_IsClosedWith1001()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { PingInterval = null }, time);
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(119));
        Assert.True(peer.Connection.IsOpen);
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(2));
        Assert.Equal((CloseCode.GoingAway, "idle"), await peer.ReadCloseAsync());
    }

    [Fact]
    public async Task MessageThatDoesNotArriveWhole_IsClosedWith1008()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { PingInterval = null }, time);
        await peer.SendAsync(Opcode.Text, "begun"u8, isFinal: false);
        await peer.SendAsync(Opcode.Ping, "here"u8);
        Assert.Equal(Opcode.Pong, (await peer.ReadFrameAsync())!.Value.Header.Opcode);
        for (int i = 0; i < 29; i++)
        {
            await peer.AdvanceAsync(time, TimeSpan.FromSeconds(1));
            await peer.SendAsync(Opcode.Continuation, "."u8, isFinal: false);
        }

        Assert.True(peer.Connection.IsOpen);
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(2));
        Assert.Equal((CloseCode.PolicyViolation, "message took too long"), await peer.ReadCloseAsync());
    }

    [Fact]
    public async Task State_ItemsAndId_BelongToTheConnection()
    {
        await using var first = Peer.Connect(new EchoHandler());
        await using var second = first.Join(new EchoHandler());
        first.Connection.State = "one";
        first.Connection.Items["key"] = 1;
        Assert.Null(second.Connection.State);
        Assert.Empty(second.Connection.Items);
        Assert.NotEqual(first.Connection.Id, second.Connection.Id);
        Assert.Null(first.Connection.User);
        Assert.Empty(first.Connection.RouteValues);
        Assert.Contains(first.Connection.Id.ToString(CultureInfo.InvariantCulture), first.Connection.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClosedToken_IsCancelledAtTheEnd()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        var token = peer.Connection.Closed;
        Assert.False(token.IsCancellationRequested);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = token.Register(cancelled.SetResult);
        peer.Connection.Abort();
        await cancelled.Task;
        await using var other = Peer.Connect(new EchoHandler());
        other.Connection.Abort();
        await other.Connection.Completion;
        Assert.True(other.Connection.Closed.IsCancellationRequested);
    }

    [Fact]
    public async Task PeerThatAnswersOnlyTheLatestPing_IsAlive()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler(), time: time);
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(26));
        Assert.Equal(Opcode.Ping, (await peer.ReadFrameAsync())!.Value.Header.Opcode);
        var ping = peer.Connection.PingAsync();
        byte[] latest = (await peer.ReadFrameAsync())!.Value.Payload;
        await peer.SendAsync(Opcode.Pong, latest);
        await ping;
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(15));
        Assert.Null(peer.Connection.CloseInfo);
    }

    [Fact]
    public async Task PingOfAUser_IsBoundByThePongTimeout()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler(), new TestOptions { PingInterval = null }, time);
        var ping = peer.Connection.PingAsync();
        await peer.OwnerIsIdleAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(11));
        await Assert.ThrowsAsync<ConnectionClosedException>(() => ping);
    }

    [Fact]
    public async Task HandlerThatAborts_GetsNoFurtherMessageOfTheSameReceive()
    {
        var handler = new ScriptedHandler { Received = (connection, _) => connection.Abort() };
        await using var peer = Peer.Connect(handler);
        using var writer = new FrameWriter(() => 7);
        writer.WriteFrame(Opcode.Text, "first"u8);
        writer.WriteFrame(Opcode.Text, "second"u8);
        await peer.SendBytesAsync(writer.Written.ToArray());
        await handler.Closed;
        Assert.Equal(["first"], handler.Messages);
    }

    [Fact]
    public async Task CloseAfterAnAbort_IsNotNotedAsSent()
    {
        for (int i = 0; i < 100; i++)
        {
            var handler = new ScriptedHandler();
            await using var peer = Peer.Connect(handler);
            peer.Connection.Abort();
            peer.Connection.Close();
            var info = await handler.Closed;
            Assert.Null(info.CodeSent);
            Assert.Equal(CloseCode.AbnormalClosure, info.Code);
            Assert.Equal(SendResult.Closed, peer.Connection.WriteMessage("late"u8, MessageType.Text));
            Assert.Equal(0, peer.Connection.BufferedBytes);
        }
    }

    [Fact]
    public async Task HandlerThatActsOnItsConnectionFromEveryCallback_IsServedAndToldOfTheEndOnce()
    {
        static void Everything(WebSocketConnection connection)
        {
            connection.Subscribe("t");
            connection.Publish("t", "p"u8, MessageType.Text);
            connection.WriteMessage("w"u8, MessageType.Text);
            _ = connection.WriteMessageAsync("a"u8.ToArray(), MessageType.Text);
            connection.Unsubscribe("t");
            connection.Subscribe("t");
        }

        foreach (int end in (int[])[0, 1, 2, 3])
        {
            var handler = new ScriptedHandler
            {
                Opened = Everything,
                Received = (connection, _) =>
                {
                    Everything(connection);
                    if (end == 0)
                    {
                        connection.Close();
                    }
                    else if (end == 1)
                    {
                        connection.Abort();
                    }

                    Everything(connection);
                    if (end == 2)
                    {
                        throw new InvalidOperationException();
                    }
                },
            };
            await using var peer = Peer.Connect(handler);
            await peer.SendAsync("go");
            await peer.OwnerIsIdleAsync();
            peer.Stream.Reset();
            await handler.Closed;
            await peer.Connection.Completion;
            Assert.Equal(0, peer.Server.ConnectionCount);
            Everything(peer.Connection);
            await peer.OwnerIsIdleAsync();
            Assert.Equal(0, peer.Connection.BufferedBytes);
        }
    }
}
