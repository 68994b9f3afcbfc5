using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

/// <summary>A million connections' lives by chance (<see cref="ScriptedRun"/>).</summary>
/// <remarks>
/// One run is one connection's whole life: it is accepted (or fails to be), some 25 things are done to it by its peer and its handler at any
/// moment, and it is closed. Some lives share a loop, so that they meet each other's descriptors and buffers; then the loop ends, sometimes
/// with connections in all states, and nothing may be left: no descriptor, no buffer, no clock. Every byte is checked on both sides.
/// </remarks>
public sealed partial class SocketTransportTests(ITestOutputHelper output)
{
    private const int LivesPerLoop = 50;

    [Theory]
    [InlineData(nameof(LoopKind.Epoll), 500_000)]
    [InlineData(nameof(LoopKind.IoUring), 500_000)]
    public void LivesByChance_LoseNothingAndLeaveNothing(string kind, int count)
    {
        int seed = TestSeed.Choose(output.WriteLine);
        var pool = new PoisonedArrayPool();
        for (int i = 0; i < count / LivesPerLoop; i++)
        {
            new ScriptedRun(Enum.Parse<LoopKind>(kind), unchecked(seed + i), LivesPerLoop, pool).Play();
        }

        pool.AssertBalanced();
    }
}
