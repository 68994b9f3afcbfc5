namespace Shockwave.Engine.Tests;

public sealed partial class SocketTransportTests
{
    private const int BorrowedBytes = 10_000;
    private const byte Front = 0xFE;

    /// <summary>The receive buffer is everybody's: what the socket does not take at once must be gone from it before the next one receives.</summary>
    [Theory]
    [InlineData(0, 8, 4)]
    [InlineData(1, 8, 4)]
    [InlineData(5_000, 8, 4)]
    [InlineData(BorrowedBytes, 8, 4)]

    // The header came in an earlier receive: the payload begins where the buffer does, and the front lies before it.
    [InlineData(0, 0, 16)]
    [InlineData(5_000, 0, 16)]
    public void BytesSentOnFromWhereTheyLie_OutliveTheNextReceive(int capacity, int header, int before)
    {
        using var test = new FakeLoop(nameof(LoopKind.Epoll));
        var connection = test.Connect();
        var other = test.Connect();
        byte[] payload = [.. Enumerable.Range(0, BorrowedBytes).Select(index => (byte)(index % 251))];
        if (header == 0)
        {
            connection.Peer.Send(new byte[8]);
            test.Run();
        }

        connection.OnReceived = bytes =>
        {
            Assert.True(connection.Transport.TryBorrow(bytes[header..], before, out var space));
            Assert.Equal(before + BorrowedBytes, space.Length);
            space[..before].Fill(Front);
            connection.Transport.WriteBorrowed(space);
            return bytes.Length;
        };
        connection.Peer.Capacity = capacity;
        connection.Peer.Send([.. new byte[header], .. payload]);
        test.Run();
        Assert.Equal(before + BorrowedBytes - capacity, connection.Transport.UnsentBytes);
        other.Peer.Send(new byte[2 * BorrowedBytes]);
        test.Run();
        Assert.Equal(2 * BorrowedBytes, other.Received.Count);
        connection.Peer.Capacity = 3_000;
        byte[] first = connection.Peer.TakeAll();
        test.Run();
        Assert.Equal([.. Enumerable.Repeat(Front, before), .. payload], [.. first, .. TakeAll(test, connection)]);
        Assert.Equal(["drained"], connection.Calls);
    }

    /// <summary>What is written behind it is sent behind it, and what was before, before.</summary>
    [Fact]
    public void BytesSentOnFromWhereTheyLie_KeepTheirPlaceAmongTheOthers()
    {
        using var test = new FakeLoop(nameof(LoopKind.Epoll));
        var connection = test.Connect();
        var other = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Write(100, value: 1);
            for (int start = 0; start < bytes.Length; start += 100)
            {
                Assert.True(connection.Transport.TryBorrow(bytes.Slice(start + 10, 90), before: 10, out var space));
                connection.Transport.WriteBorrowed(space);
                connection.Write(10, value: 3);
            }

            return bytes.Length;
        };
        connection.Peer.Capacity = 150;
        connection.Peer.Send([.. Enumerable.Repeat((byte)2, 1000)]);
        test.Run();
        other.Peer.Send([.. Enumerable.Repeat((byte)4, 2000)]);
        test.Run();
        byte[] piece = [.. Enumerable.Repeat((byte)2, 100), .. Enumerable.Repeat((byte)3, 10)];
        Assert.Equal([.. Enumerable.Repeat((byte)1, 100), .. Enumerable.Repeat(piece, 10).SelectMany(bytes => bytes)], TakeAll(test, connection));
    }
}
