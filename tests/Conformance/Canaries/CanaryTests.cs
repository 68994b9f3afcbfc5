using Microsoft.Extensions.DependencyInjection;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>
/// Every connection has a secret in all its payloads, both ways, while messages, sends of other threads, publications, closes and aborts
/// race and returned buffers are overwritten: nobody ever sees a byte that is not its own.
/// </summary>
public sealed class CanaryTests(ITestOutputHelper output)
{
    private const int ParallelConnections = 24;

    // Far more than it takes on one busy core.
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(ServerPath.Epoll, 300_000)]
    [InlineData(ServerPath.IoUring, 300_000)]
    [InlineData(ServerPath.Portable, 150_000)]
    [InlineData(ServerPath.Tls, 125_000)]
    [InlineData(ServerPath.Http2ExtendedConnect, 125_000)]
    public async Task NoForeignByte_IsEverSeen(ServerPath path, int rounds)
    {
        var record = new CanaryRecord(rounds);
        await using var server = await PathServer.StartAsync(
            path,
            options => options.MaxMessageBytes = Canary.MaxBytes,
            application =>
            {
                application.MapShockwave<CanaryHandler>("/push/{secret}");
                application.MapShockwave<AsyncCanaryHandler>("/async/{secret}");
            },
            services => services.AddSingleton(record).AddSingleton<CanaryServing>());
        int seed = TestSeed.Choose(output.WriteLine);
        int connections = 0;
        var clients = Task.WhenAll(Enumerable.Range(0, ParallelConnections).Select(async number =>
        {
            var random = new Random(seed + number);
            while (!record.IsOver)
            {
                Interlocked.Increment(ref connections);
                await ConnectAsync(server, record, random);
            }
        }));
        await (await Task.WhenAny(clients, record.Failed).WaitAsync(_limit));
        output.WriteLine($"{record.Rounds} rounds, {connections} connections");
        Assert.True(record.Faults.IsEmpty, string.Join('\n', record.Faults));
        server.AssertPath();
    }

    private static async Task ConnectAsync(PathServer server, CanaryRecord record, Random random)
    {
        var canary = new Canary($"{random.NextInt64():X16}"[^8..]);
        bool isCompressed = random.Next(4) == 0;
        string endpoint = random.Next(4) == 0 ? "async" : "push";
        try
        {
            var wire = await server.OpenAsync($"/{endpoint}/{canary.Secret}", isCompressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
            await new CanaryClient(wire, canary, record, isCompressed, random).LiveAsync();
        }
        catch (HttpRequestException) when (server.IsHttp2)
        {
            // HttpClient has sent data of a stream behind its reset, and with that the whole connection of HTTP/2 ends.
        }
    }
}
