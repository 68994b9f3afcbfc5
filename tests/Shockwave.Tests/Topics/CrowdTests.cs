using Shockwave.Engine;
using Shockwave.Testing;

namespace Shockwave.Tests;

[Collection(nameof(Alone))]
public sealed class CrowdTests
{
    private const int Few = 10_000;
    private const int Many = 1_000_000;
    private const long MaxLiveBytes = 512L * 1000 * 1000;
    private const double MaxRatio = 1.5;

    // An odd number each, so that there is a median.
    private const int RoundsOfMany = 7;
    private const int RoundsOfFew = 301;

    [Fact]
    public void MillionConnections_FitIntoHalfAGigabyteAndHearABroadcastAtThePriceOfTenThousand()
    {
        // The loop leaves no context to this thread, not even the test's.
        var output = TestContext.Current.TestOutputHelper!;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using var kernel = new CrowdKernel(Many + 16);
        var loop = new EpollLoop(kernel, new ManualTimeProvider());
        loop.Enter();
        var server = new ShockwaveServer([], new ConnectionSettings(new TestOptions(), loop.Time), ConnectionEvents.None, [loop]);
        var dispatcher = new ScriptedHandler { Opened = connection => connection.Subscribe("all") }.CreateDispatcher();
        Open(Few);
        Broadcast(RoundsOfFew);
        double few = Broadcast(RoundsOfFew);

        Open(Many - Few);
        long live = GC.GetTotalMemory(forceFullCollection: true) - before;
        Broadcast(1);
        double many = Broadcast(RoundsOfMany);
        string figures = $"{live / Many} B for each connection, {few:F1} ns for each of {Few}, {many:F1} ns for each of {Many}: {many / few:F2} times as much";
        output.WriteLine(figures);
        Assert.True(live < MaxLiveBytes, figures);
        Assert.True(many / few < MaxRatio, figures);

        // Everybody got everything. The loop is dropped, not ended: a million goodbyes are no part of this.
        Assert.Equal((RoundsOfMany + 1) * 22, kernel.SentBytes(kernel.LastSocket));

        void Open(int count)
        {
            for (int i = 0; i < count; i++)
            {
                var transport = loop.Open(kernel.Connect());
                server.Expect();
                server.Adopt(server.PlaceOnLoop(loop), transport, dispatcher, UpgradeDetails.None);
            }

            loop.RunTurn(mayBlock: false);
        }

        double Broadcast(int rounds)
        {
            double[] nanoseconds = new double[rounds];
            for (int i = 0; i < rounds; i++)
            {
                long sends = kernel.SendCount;
                long start = TimeProvider.System.GetTimestamp();
                server.Publish("all", "twenty bytes for all"u8, MessageType.Binary);
                loop.RunTurn(mayBlock: false);
                nanoseconds[i] = TimeProvider.System.GetElapsedTime(start).TotalNanoseconds / loop.ConnectionCount;
                Assert.Equal(loop.ConnectionCount, kernel.SendCount - sends);
            }

            return nanoseconds.Order().ElementAt(rounds / 2);
        }
    }
}
