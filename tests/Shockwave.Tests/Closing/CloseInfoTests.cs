using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Tests;

public sealed class CloseInfoTests
{
    [Fact]
    public async Task PeersClose_IsAnsweredWithItsCodeAndEndsTheConnection()
    {
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync(Opcode.Close, [0x0F, 0xA0, (byte)'b', (byte)'y', (byte)'e']);
        Assert.Equal(((CloseCode)4000, ""), await peer.ReadCloseAsync());
        await peer.AssertEndAsync();
        var info = await handler.Closed;
        Assert.Equal(((CloseCode)4000, "bye", true, true), (info.Code, info.Reason, info.IsPeerFirst, info.IsClean));
        Assert.Equal(info, peer.Connection.CloseInfo);
        Assert.False(peer.Connection.IsOpen);
    }

    [Fact]
    public async Task PeersCloseWithoutCode_IsAnsweredWithoutCode()
    {
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler);
        await peer.SendAsync(Opcode.Close, []);
        Assert.Empty((await peer.ReadFrameAsync())!.Value.Payload);
        await peer.AssertEndAsync();
        Assert.Equal(CloseCode.NoStatusReceived, (await handler.Closed).Code);
    }

    [Fact]
    public async Task OurClose_WaitsForTheAnswerAndDropsWhatComesMeanwhile()
    {
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler);
        var closing = peer.Connection.CloseAsync((CloseCode)4321, "done");
        Assert.Equal(((CloseCode)4321, "done"), await peer.ReadCloseAsync());
        await peer.SendAsync("too late");
        await peer.OwnerIsIdleAsync();
        Assert.False(closing.IsCompleted);
        await peer.SendAsync(Opcode.Close, [0x10, 0xE1]);
        var info = await closing;
        Assert.Equal(((CloseCode)4321, "done", false, true), (info.Code, info.Reason, info.IsPeerFirst, info.IsClean));
        await peer.AssertEndAsync();
        Assert.Empty(handler.Messages);
    }

    [Fact]
    public async Task PeerThatNeverAnswersTheClose_IsAbortedAfterTheTimeout()
    {
        var time = new ManualTimeProvider();
        await using var peer = Peer.Connect(new EchoHandler(), time: time);
        var closing = peer.Connection.CloseAsync();
        await peer.ReadCloseAsync();
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(4.5));
        Assert.False(closing.IsCompleted);
        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(1));
        var info = await closing;
        Assert.Equal(CloseCode.NormalClosure, info.Code);
        Assert.False(info.IsClean);
        Assert.IsType<TimeoutException>(info.Cause);
    }

    [Fact]
    public async Task EndWithoutACloseFrame_Is1006()
    {
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler);
        peer.Stream.CompleteWriting();
        var info = await handler.Closed;
        Assert.Equal(CloseCode.AbnormalClosure, info.Code);
        Assert.IsType<EndOfStreamException>(info.Cause);
        Assert.Null(info.CodeReceived);
        Assert.Null(info.CodeSent);
    }

    [Fact]
    public async Task Reset_Is1006WithItsCause()
    {
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler);
        peer.Stream.Reset();
        Assert.IsType<IOException>((await handler.Closed).Cause);
    }

    [Fact]
    public async Task Violation_IsAnsweredAfterTheValidMessageBeforeItAndTheRestIsReadToTheEnd()
    {
        var handler = new ScriptedHandler { Received = (connection, text) => connection.WriteMessage(System.Text.Encoding.UTF8.GetBytes(text), MessageType.Text) };
        await using var peer = Peer.Connect(handler);
        using var writer = new FrameWriter(() => 5);
        writer.WriteFrame(Opcode.Text, "valid"u8);
        await peer.SendBytesAsync([.. writer.Written.Span, 0x83, 0x80, 1, 2, 3, 4, .. new byte[100_000]]);
        Assert.Equal("valid", await peer.ReadTextAsync());
        Assert.Equal((CloseCode.ProtocolError, "reserved opcode"), await peer.ReadCloseAsync());
        for (int i = 0; i < 50; i++)
        {
            await peer.SendBytesAsync(new byte[64 * 1024]);
        }

        peer.Stream.CompleteWriting();
        var info = await handler.Closed;
        Assert.Equal((CloseCode.ProtocolError, false), (info.Code, info.IsClean));
        Assert.Equal("RFC 6455 §5.2", Assert.IsType<ProtocolViolationException>(info.Cause).Violation.Section);
        Assert.Equal(["valid"], handler.Messages);
    }

    [Fact]
    public async Task PeerThatViolatesAndGoesOnForever_IsCutOffAfterTheTimeout()
    {
        var time = new ManualTimeProvider();
        var handler = new ScriptedHandler();
        await using var peer = Peer.Connect(handler, time: time);
        await peer.SendBytesAsync([0xFF, 0xFF]);
        Assert.Equal(CloseCode.ProtocolError, (await peer.ReadCloseAsync()).Code);
        for (int i = 0; i < 4; i++)
        {
            await peer.SendBytesAsync(new byte[1000]);
            await peer.AdvanceAsync(time, TimeSpan.FromSeconds(1));
            Assert.False(handler.Closed.IsCompleted);
        }

        await peer.AdvanceAsync(time, TimeSpan.FromSeconds(2));
        Assert.Equal(CloseCode.ProtocolError, (await handler.Closed).Code);
    }

    [Fact]
    public async Task IllegalCodesAndReasons_CannotBeSent()
    {
        await using var peer = Peer.Connect(new EchoHandler());
        Assert.Throws<ArgumentOutOfRangeException>(() => peer.Connection.Close(CloseCode.AbnormalClosure));
        Assert.Throws<ArgumentException>(() => peer.Connection.Close(CloseCode.NormalClosure, new string('x', 124)));
        Assert.Throws<ArgumentException>(() => peer.Connection.Close(CloseCode.NoStatusReceived, "why"));
        Assert.True(peer.Connection.IsOpen);
    }

    [Fact]
    public async Task ClosesThatRace_EndTheConnectionOnce()
    {
        for (int round = 0; round < 200; round++)
        {
            var handler = new ScriptedHandler();
            await using var peer = Peer.Connect(handler);
            await Task.WhenAll(
                Task.Run(() => peer.Connection.Close()),
                Task.Run(async () => await peer.SendAsync(Opcode.Close, [0x03, 0xE8])),
                Task.Run(() => peer.Connection.WriteMessage("x"u8, MessageType.Text)),
                Task.Run(() => (round & 1) == 0 ? Task.Run(peer.Connection.Abort) : peer.Connection.PingAsync().ContinueWith(_ => { }, TaskScheduler.Default)));
            await handler.Closed;
            Assert.Equal(0, peer.Server.ConnectionCount);
        }
    }

    [Fact]
    public async Task StoppingServer_ClosesEveryConnectionWith1012AndAbortsTheRest()
    {
        await using var polite = Peer.Connect(new EchoHandler());
        await using var deaf = polite.Join(new EchoHandler());
        using var giveUp = new CancellationTokenSource();
        var stopping = polite.Server.StopAsync(giveUp.Token);
        Assert.Equal((CloseCode.ServiceRestart, "server stops"), await polite.ReadCloseAsync());
        await polite.SendAsync(Opcode.Close, [0x03, 0xF4]);
        await polite.Connection.Completion;
        Assert.False(stopping.IsCompleted);
        await giveUp.CancelAsync();
        await stopping;
        await deaf.Connection.Completion;
    }
}
