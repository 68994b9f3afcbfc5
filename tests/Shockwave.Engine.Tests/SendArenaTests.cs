using System.Runtime.InteropServices;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class SendArenaTests
{
    private readonly PoisonedArrayPool _pool = new();
    private readonly SendArena _arena;

    public SendArenaTests() => _arena = new SendArena(_pool);

    [Fact]
    public void WritesOfTwoQueues_LieSideBySide()
    {
        var first = new OutputQueue(_pool, _arena);
        var second = new OutputQueue(_pool, _arena);
        Write(first, 1, 20);
        Write(second, 2, 30);

        Assert.Equal(1, _pool.LentCount);
        Assert.Equal(Bytes(1, 20), Take(first));
        Assert.Equal(Bytes(2, 30), Take(second));
        Assert.Equal(0, _pool.LentCount);
    }

    [Fact]
    public void WritesOfOneQueue_AreOnePiece()
    {
        var queue = new OutputQueue(_pool, _arena);
        Write(queue, 1, 20);
        Write(queue, 2, 2048);

        Assert.Equal(1, queue.Count);
        Assert.Equal([.. Bytes(1, 20), .. Bytes(2, 2048)], Take(queue));
    }

    [Fact]
    public void AWriteBehindAnotherQueues_HasABufferOfItsOwn()
    {
        var first = new OutputQueue(_pool, _arena);
        var second = new OutputQueue(_pool, _arena);
        Write(first, 1, 20);
        Write(second, 2, 30);
        Write(first, 3, 40);

        Assert.Equal(2, first.Count);
        Assert.Equal([.. Bytes(1, 20), .. Bytes(3, 40)], Take(first));
        Assert.Equal(Bytes(2, 30), Take(second));
        Assert.Equal(0, _pool.LentCount);
    }

    [Fact]
    public void AFullChunk_IsFollowedByAnother_AndEachGoesBackByItself()
    {
        var queues = Enumerable.Range(0, 20).Select(_ => new OutputQueue(_pool, _arena)).ToArray();
        for (int i = 0; i < queues.Length; i++)
        {
            Write(queues[i], i, SendArena.MaxWriteBytes);
        }

        Assert.Equal(3, _pool.LentCount);
        for (int i = 0; i < queues.Length; i++)
        {
            Assert.Equal(Bytes(i, SendArena.MaxWriteBytes), Take(queues[i]));
            Assert.Equal(i < 7 ? 3 : i < 15 ? 2 : i < 19 ? 1 : 0, _pool.LentCount);
        }
    }

    [Fact]
    public void ALargeWrite_StaysOut()
    {
        var queue = new OutputQueue(_pool, _arena);
        Write(queue, 1, SendArena.MaxWriteBytes + 1);
        Write(new OutputQueue(_pool, _arena), 2, 20);

        Assert.Equal(2, _pool.LentCount);
        Assert.Equal(Bytes(1, SendArena.MaxWriteBytes + 1), Take(queue));
    }

    [Fact]
    public void ASpanThatIsNotUsed_CostsNothing()
    {
        var queue = new OutputQueue(_pool, _arena);
        queue.GetSpan(20);
        queue.Clear();
        Assert.Equal(0, _pool.LentCount);

        queue.GetSpan(20);
        queue.Add(_pool.Rent(16), 0, 16);
        Assert.Equal(1, queue.Count);
        queue.Clear();
        Assert.Equal(0, _pool.LentCount);
    }

    private static byte[] Bytes(int seed, int count) => [.. Enumerable.Range(0, count).Select(i => (byte)((seed * 31) + i))];

    private static void Write(OutputQueue queue, int seed, int count)
    {
        Bytes(seed, count).CopyTo(queue.GetSpan(count));
        queue.Commit(count);
    }

    private static byte[] Take(OutputQueue queue)
    {
        var taken = new List<byte>();
        while (!queue.IsEmpty)
        {
            var piece = queue[0];
            taken.AddRange(MemoryMarshal.CreateReadOnlySpan(ref piece.First, piece.Count));
            queue.Advance(piece.Count);
        }

        return [.. taken];
    }
}
