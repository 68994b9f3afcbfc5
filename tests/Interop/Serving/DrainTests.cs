using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.Interop.Serving;

/// <summary>What SIGTERM does to a thousand connections, some of which read nothing until later.</summary>
public sealed class DrainTests
{
    private const int Idle = 900;
    private const int Quick = 50;
    private const int Slow = 50;
    private const int Messages = 12;
    private const int MessageBytes = 50_000;
    private static readonly TimeSpan _drainTimeout = TimeSpan.FromSeconds(25);

    [Theory]
    [InlineData("epoll")]
    [InlineData("iouring")]
    [InlineData("portable")]
    public async Task Signal_IsToldByReadinessFirst_AndEveryConnectionGetsWhatIsQueuedAnd1012(string engine)
    {
        await using var server = await ServeProcess.StartAsync("--engine", engine);
        using var http = new HttpClient();
        var idle = await OpenAsync(server, "echo", Idle, isNarrow: false);
        var quick = await OpenAsync(server, "topic/drain", Quick, isNarrow: false);
        var slow = await OpenAsync(server, "topic/drain", Slow, isNarrow: true);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(server.Page, "healthz"))).StatusCode);

        // The quick ones are on every loop and have read all: then it is queued for the slow ones as well.
        for (int i = 0; i < Messages; i++)
        {
            await quick[0].SendAsync(RawFrame.Masked(0x82, PayloadOf(i)));
            await Task.WhenAll(quick.Select(client => AssertMessageAsync(client, i)));
        }

        long start = TimeProvider.System.GetTimestamp();
        server.Process.Signal(PosixSignal.SIGTERM);
        await AssertClosedAsync(idle[0]);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(new Uri(server.Page, "healthz"))).StatusCode);
        await Task.WhenAll(idle.Skip(1).Concat(quick).Select(AssertClosedAsync));
        await Task.WhenAll(idle.Concat(quick).Select(client => client.LeaveAsync()));

        // All the others are gone, and for those that are left the server still says so.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await http.GetAsync(new Uri(server.Page, "healthz"))).StatusCode);
        await Task.WhenAll(slow.Select(async client =>
        {
            for (int i = 0; i < Messages; i++)
            {
                await AssertMessageAsync(client, i);
            }

            await AssertClosedAsync(client);
            await client.LeaveAsync();
        }));

        int exitCode = await server.Process.ExitAsync();
        Assert.True(exitCode == 0, $"Exit code {exitCode}: {server.Process.Transcript}");
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, _drainTimeout);
        Array.ForEach([.. idle, .. quick, .. slow], client => client.Dispose());
    }

    private static async Task<DrainingClient[]> OpenAsync(ServeProcess server, string path, int count, bool isNarrow)
    {
        var clients = new DrainingClient[count];
        for (int i = 0; i < count; i++)
        {
            clients[i] = await DrainingClient.OpenAsync(server, path, isNarrow);
        }

        return clients;
    }

    private static byte[] PayloadOf(int number)
    {
        byte[] payload = new byte[MessageBytes];
        payload.AsSpan().Fill((byte)number);
        return payload;
    }

    private static async Task AssertMessageAsync(DrainingClient client, int number)
    {
        var (first, payload) = await client.ReadFrameAsync();
        Assert.Equal(0x82, first);
        Assert.True(payload.AsSpan().SequenceEqual(PayloadOf(number)), $"Message {number} is not what was published.");
    }

    private static async Task AssertClosedAsync(DrainingClient client)
    {
        var (first, payload) = await client.ReadFrameAsync();
        Assert.Equal((0x88, 1012, "server stops"), (first, (payload[0] << 8) | payload[1], Encoding.UTF8.GetString(payload.AsSpan(2))));
    }
}
