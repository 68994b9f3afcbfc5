namespace Shockwave.Load.Resources;

/// <summary>What an idle connection costs: the difference between 1,000 and 16,000, when everything that grows once has grown.</summary>
internal static class IdleMemory
{
    private const int WarmUp = 8000;
    private const int Few = 1000;
    private const int Many = 16_000;
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(2);

    public static async Task<string> MeasureAsync(MeasuredServer server, string client)
    {
        await using (await HeldClients.OpenAsync(client, server, "/echo", WarmUp))
        {
        }

        await server.WaitForAsync(0);
        await using var few = await HeldClients.OpenAsync(client, server, "/echo", Few);
        var before = await ReadAsync();
        await using var rest = await HeldClients.OpenAsync(client, server, "/echo", Many - Few);
        await server.WaitForAsync(Many);
        var after = await ReadAsync();
        return $"heap {Each(after.Heap - before.Heap)} native {Each(after.Native - before.Native)} "
            + $"rss {Each(after.Resident - before.Resident)} rssCollected {Each(after.Collected - before.Collected)} B per connection";
    }

    private static string Each(long bytes) => $"{(double)bytes / (Many - Few):F0}";

    // The resident size first: a server that nobody measures is not made to collect.
    private static async Task<(long Heap, long Native, long Resident, long Collected)> ReadAsync()
    {
        await Task.Delay(_settling, TimeProvider.System);
        long resident = ProcessFigures.ResidentBytes;
        long heap = ProcessFigures.LiveHeapBytes();
        return (heap, ProcessFigures.NativeBytes, resident, ProcessFigures.ResidentBytes);
    }
}
