using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shockwave.Testing;

namespace Shockwave.Client.Tests;

/// <summary>Many connections on the loops of the process. Alone: they count its descriptors.</summary>
[CollectionDefinition(nameof(ClientShardsTests), DisableParallelization = true)]
[Collection(nameof(ClientShardsTests))]
public sealed class ClientShardsTests : IAsyncLifetime
{
    private readonly WebApplication _app;

    public ClientShardsTests()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.AddShockwave(options => options.UpgradesPerSecond = null);
        _app = builder.Build();
        _app.MapShockwave("/echo", (connection, in message) => connection.WriteMessage(message.Payload, message.Type));
    }

    public static TheoryData<EngineKind> Engines => [EngineKind.Epoll, EngineKind.IoUring];

    private IShockwaveServer Server => _app.Services.GetRequiredService<IShockwaveServer>();

    private static int DescriptorCount => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ThousandConnectsAtOnce_AllEcho(EngineKind engine)
    {
        var connections = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => ConnectAsync(engine)));
        await Task.WhenAll(connections.Select(async (connection, index) =>
        {
            connection.WriteMessage(BitConverter.GetBytes(index), MessageType.Binary);
            Assert.Equal(index, BitConverter.ToInt32((await connection.ReadMessageAsync()).Payload.Span));
            Assert.True((await connection.CloseAsync()).IsClean);
        }));
        AssertServerIsEmpty();
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task ThousandConnectsAndCloses_LeaveNoDescriptor(EngineKind engine)
    {
        await ComeAndGoAsync(engine, 20);
        AssertServerIsEmpty();
        int before = DescriptorCount;
        await ComeAndGoAsync(engine, 1000);
        AssertServerIsEmpty();
        Assert.True(SpinWait.SpinUntil(() => DescriptorCount <= before, ChildProcess.Patience), $"{before} descriptors before, {DescriptorCount} after.");
    }

    // Closed properly, aborted, refused, given up: all of them let go of their socket.
    private async Task ComeAndGoAsync(EngineKind engine, int count)
    {
        for (int i = 0; i < count; i++)
        {
            switch (i % 4)
            {
                case 0:
                    await (await ConnectAsync(engine)).CloseAsync();
                    break;
                case 1:
                    var connection = await ConnectAsync(engine);
                    connection.Abort();
                    await connection.Completion;
                    break;
                case 2:
                    await Assert.ThrowsAsync<HandshakeException>(() => ConnectAsync(engine, "/nowhere"));
                    break;
                default:
                    using (var cancel = new CancellationTokenSource())
                    {
                        var connecting = ConnectAsync(engine, cancellationToken: cancel.Token);
                        await cancel.CancelAsync();
                        await AbortIfOpenAsync(connecting);
                    }

                    break;
            }
        }
    }

    private static async Task AbortIfOpenAsync(Task<WebSocketConnection> connecting)
    {
        try
        {
            (await connecting).Abort();
        }
        catch (OperationCanceledException)
        {
            // As wanted; the answer may also have been faster.
        }
    }

    private Task<WebSocketConnection> ConnectAsync(EngineKind engine, string path = "/echo", CancellationToken cancellationToken = default)
    {
        var uri = new Uri(_app.Urls.Single().Replace("http://", "ws://", StringComparison.Ordinal) + path);
        var options = new WebSocketClientOptions { Engine = engine, ConnectTimeout = ChildProcess.Patience, CloseTimeout = ChildProcess.Patience };
        return WebSocketClient.ConnectAsync(uri, options, cancellationToken);
    }

    private void AssertServerIsEmpty() =>
        Assert.True(SpinWait.SpinUntil(() => Server.ConnectionCount == 0, ChildProcess.Patience), $"{Server.ConnectionCount} connections are left.");
}
