using System.Security.Cryptography;
using System.Text;

namespace Shockwave.Interop.Connecting;

/// <summary>What our client must do with every server.</summary>
public abstract class ClientTests(PeerServer server, EngineKind engine = EngineKind.Auto)
{
    public static TheoryData<byte[], MessageType> Messages => new()
    {
        { "Grüße, Welt 👋"u8.ToArray(), MessageType.Text },
        { [.. Enumerable.Range(0, 256).Select(value => (byte)value)], MessageType.Binary },
        { [], MessageType.Text },
        { [], MessageType.Binary },
        { RandomNumberGenerator.GetBytes(64 * 1024), MessageType.Binary },
        { RandomNumberGenerator.GetBytes(1024 * 1024), MessageType.Binary },
        { Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("é👋ab", 128 * 1024))), MessageType.Text },
    };

    protected PeerServer Server => server;

    [Theory]
    [MemberData(nameof(Messages), DisableDiscoveryEnumeration = true)]
    public async Task Message_ComesBackAsItWas(byte[] message, MessageType type)
    {
        var connection = await ConnectAsync("/echo");
        await AssertEchoAsync(connection, message, type);
        await AssertCleanCloseAsync(connection);
    }

    [Theory]
    [MemberData(nameof(Messages), DisableDiscoveryEnumeration = true)]
    public async Task FragmentedMessage_IsReadWhole(byte[] message, MessageType type)
    {
        // python3-websockets cuts text between characters only, and cannot send a message of no fragments.
        if (message.Length > 0)
        {
            var connection = await ConnectAsync("/fragments");
            await AssertEchoAsync(connection, message, type);
            await AssertCleanCloseAsync(connection);
        }
    }

    [Fact]
    public async Task Ping_IsAnswered_AndItsRoundTripMeasured()
    {
        var connection = await ConnectAsync("/echo");
        Assert.Null(connection.RoundTripTime);
        var roundTrip = await connection.PingAsync();
        Assert.InRange(roundTrip, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        Assert.NotNull(connection.RoundTripTime);
        await AssertCleanCloseAsync(connection);
    }

    [Fact]
    public async Task PingOfTheServer_IsAnswered()
    {
        var connection = await ConnectAsync("/pings");
        Assert.StartsWith("pong ", (await connection.ReadMessageAsync()).GetText());
        await AssertCleanCloseAsync(connection);
    }

    [Fact]
    public async Task CloseByTheServer_EndsReadsWithItsCodeAndReason()
    {
        var connection = await ConnectAsync("/closes");
        Assert.Equal(MessageType.Close, (await connection.ReadMessageAsync()).Type);
        await connection.Completion;
        var info = connection.CloseInfo!.Value;
        Assert.Equal(((CloseCode)4002, "enough of that", true, true), (info.Code, info.Reason, info.IsPeerFirst, info.IsClean));
    }

    [Fact]
    public async Task ServerThatVanishes_FailsTheReadWithConnectionClosedException()
    {
        var connection = await ConnectAsync("/vanishes");
        connection.WriteMessage("go"u8, MessageType.Text);
        var error = await Assert.ThrowsAsync<ConnectionClosedException>(() => connection.ReadMessageAsync().AsTask());
        Assert.Equal((CloseCode.AbnormalClosure, null), (error.CloseInfo.Code, error.CloseInfo.CodeReceived));
        Assert.NotNull(error.CloseInfo.Cause);
    }

    [Fact]
    public async Task SubprotocolThatTheServerSpeaks_IsChosen()
    {
        var connection = await ConnectAsync("/echo", options =>
        {
            options.Subprotocols.Add("chat.v3");
            options.Subprotocols.Add("chat.v2");
        });
        Assert.Equal("chat.v2", connection.Subprotocol);
        await AssertCleanCloseAsync(connection);
    }

    [Fact]
    public async Task CompressedMessages_AreUnderstoodOnBothSides()
    {
        var connection = await ConnectAsync("/echo?deflate", options => options.Compression = new() { Enabled = true, ThresholdBytes = 0 });
        await AssertEchoAsync(connection, "a"u8.ToArray(), MessageType.Text);
        await AssertEchoAsync(connection, [], MessageType.Binary);
        await AssertEchoAsync(connection, RandomNumberGenerator.GetBytes(1024 * 1024), MessageType.Binary);
        await AssertEchoAsync(connection, new byte[1024 * 1024], MessageType.Binary);
        await AssertCleanCloseAsync(connection);
    }

    protected Task<WebSocketConnection> ConnectAsync(string path, Action<WebSocketClientOptions>? configure = null)
    {
        // A local peer that pauses for a garbage collection on a busy machine is not dead.
        var options = new WebSocketClientOptions { Engine = engine, MaxMessageBytes = 4 * 1024 * 1024, ConnectTimeout = Shockwave.Testing.ChildProcess.Patience, CloseTimeout = Shockwave.Testing.ChildProcess.Patience };
        configure?.Invoke(options);
        return WebSocketClient.ConnectAsync(server.Address(path), options);
    }

    protected static async Task AssertEchoAsync(WebSocketConnection connection, byte[] message, MessageType type)
    {
        connection.WriteMessage(message, type);
        var answer = await connection.ReadMessageAsync();
        Assert.Equal(type, answer.Type);
        Assert.True(answer.Payload.Span.SequenceEqual(message), $"{message.Length} bytes sent, {answer.Payload.Length} of other content received.");
    }

    protected static async Task AssertCleanCloseAsync(WebSocketConnection connection)
    {
        var info = await connection.CloseAsync(CloseCode.NormalClosure, "done");
        Assert.Equal((CloseCode.NormalClosure, "done", false, true), (info.Code, info.Reason, info.IsPeerFirst, info.IsClean));
    }
}
