using System.Diagnostics;

namespace Shockwave.Load.Resources;

/// <summary>As many connections as a process with 20,000 descriptors can have: each answers a ping, and each gets what is published.</summary>
internal static class HeldConnections
{
    private const int Count = 19_000;

    public static async Task<string> MeasureAsync(MeasuredServer server, string client)
    {
        await using var clients = await HeldClients.OpenAsync(client, server, "/topic", Count);
        await server.WaitForAsync(Count);
        long start = TimeProvider.System.GetTimestamp();
        var roundTrips = await Task.WhenAll(server.Listeners.Select(connection => connection.PingAsync()));
        var pinged = TimeProvider.System.GetElapsedTime(start);

        int before = (await clients.ReportAsync()).Messages;
        start = TimeProvider.System.GetTimestamp();
        server.Publish("to everybody"u8);
        HeldClients.Report report;
        do
        {
            report = await clients.ReportAsync();
        }
        while (report.Messages - before < Count);

        var published = TimeProvider.System.GetElapsedTime(start);
        Debug.Assert(report.Closed == 0, "Nobody leaves.");
        return $"connections {server.ConnectionCount} closed {report.Closed} pongs {roundTrips.Length} in {pinged.TotalMilliseconds:F0} ms, "
            + $"delivered {report.Messages - before} in {published.TotalMilliseconds:F0} ms";
    }
}
