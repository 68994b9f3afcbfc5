using System.Net.Sockets;

namespace Shockwave.Load.Resources;

/// <summary>Connections that end their side and then reset: nothing of them may stay.</summary>
internal static class ResetConnections
{
    private const int Count = 10_000;
    private const int AtOnce = 500;

    public static async Task<string> MeasureAsync(MeasuredServer server)
    {
        // What is opened once, such as a pool's threads, is there afterwards.
        await ResetAsync(server, AtOnce);
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        int baseline = ProcessFigures.Descriptors;
        for (int done = 0; done < Count; done += AtOnce)
        {
            await ResetAsync(server, AtOnce);
        }

        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        int descriptors = ProcessFigures.Descriptors;
        var start = ProcessFigures.ProcessorTime;
        long began = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        double busy = (ProcessFigures.ProcessorTime - start) / TimeProvider.System.GetElapsedTime(began);
        return $"connections {Count} descriptors {descriptors} of {baseline} before, idle processor time {busy:P2}";
    }

    private static async Task ResetAsync(MeasuredServer server, int count)
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Client.OpenAsync(server.Port, "/echo")));
        await server.WaitForAsync(count);
        foreach (var client in clients)
        {
            client.Socket.Shutdown(SocketShutdown.Send);
        }

        foreach (var client in clients)
        {
            client.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
            client.Dispose();
        }

        await server.WaitForAsync(0);
    }
}
