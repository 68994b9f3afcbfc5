using System.Text;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

/// <summary>What both kinds of loops promise to a connection, shown on the fake kernel.</summary>
public sealed partial class SocketTransportTests
{
    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ShortWrite_IsContinuedWhenThereIsRoom(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.Peer.Capacity = 10_000;
        test.Post(() => connection.Write(25_000));
        test.Run();
        Assert.Equal(15_000, connection.Transport.UnsentBytes);
        Assert.Empty(connection.Calls);
        Assert.Equal(25_000, TakeAll(test, connection).Length);
        Assert.Equal(["drained"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void FirstWriteThatFindsNoRoom_WaitsForIt(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.Peer.Capacity = 0;
        test.Post(() => connection.Write(100));
        test.Run();
        Assert.Equal(100, connection.Transport.UnsentBytes);
        connection.Peer.Capacity = 1000;
        connection.Peer.TakeAll();
        test.Run();
        Assert.Equal(100, connection.Peer.TakeAll().Length);
        Assert.Equal(["drained"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void InterruptedCalls_AreRepeated(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Write(bytes.Length);
            return bytes.Length;
        };
        foreach (var call in (KernelCall[])[KernelCall.Receive, KernelCall.Send, KernelCall.EpollWait, KernelCall.RingEnter, KernelCall.Close])
        {
            test.Kernel.Fail(call, 4, 4, 4);
        }

        connection.Peer.Send("hello"u8);
        test.Run();
        Assert.Equal(5, connection.Peer.TakeAll().Length);
        connection.Transport.Abort();
        test.Run();
        Assert.Equal(["drained", "closed"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void BytesBeforeTheEnd_AreDeliveredBeforeIt(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        int receivedAtEnd = 0;
        connection.OnEnded = () => receivedAtEnd = connection.Received.Count;
        connection.Peer.Send(new byte[200_000]);
        connection.Peer.End();
        test.Run();
        Assert.Equal(["ended"], connection.Calls);
        Assert.Equal(200_000, receivedAtEnd);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void HalfClosedPeer_StillGetsItsReply(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnEnded = () =>
        {
            connection.Write(50_000);
            connection.Transport.CloseAfterSending();
        };
        connection.Peer.Capacity = 7_000;
        connection.Peer.End();
        test.Run();
        Assert.Equal(50_000, TakeAll(test, connection).Length);
        Assert.Equal(["ended", "drained", "closed"], connection.Calls);
        Assert.True(connection.Peer is { IsEnded: true, WasReset: false });
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void OurHalfClose_EndsOurSideOnly(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        test.Post(() =>
        {
            connection.Write(10);
            connection.Transport.ShutdownAfterSending();
        });
        test.Run();
        Assert.True(connection.Peer.IsEnded);
        connection.Peer.Send("still"u8);
        test.Run();
        Assert.Equal("still", connection.Text);
        connection.Peer.End();
        test.Run();
        Assert.Equal(["drained", "ended"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void Reset_IsReportedAfterWhatArrivedBeforeIt(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnEnded = connection.Transport.Abort;
        connection.Peer.Send("last"u8);
        connection.Peer.Reset();
        test.Run();
        Assert.Equal("last", connection.Text);
        Assert.Equal(["receive failed", "closed"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ResetAfterTheEnd_IsSeenByWhoeverSends(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.Peer.End();
        test.Run();
        connection.Peer.Reset();
        test.Run();
        Assert.Equal(["ended"], connection.Calls);
        test.Post(() => connection.Write(1));
        test.Run();
        Assert.Equal(["ended", "failed", "closed"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void SendThatWaits_FailsWithTheReset(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.Peer.Capacity = 10;
        connection.Peer.End();
        test.Post(() => connection.Write(100));
        test.Run();
        connection.Peer.Reset();
        test.Run();
        Assert.Equal(["ended", "failed", "closed"], connection.Calls);
        Assert.Equal(0, test.Pool.LentCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void PausedConnection_KeepsWhatWasReceivedAndTakesNoMore(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Transport.Pause();
            return 5;
        };
        byte[] bytes = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))];
        connection.Peer.Send(bytes);
        test.Run();
        Assert.InRange(test.Pool.LentBytes, 1, 128 * 1024);
        int calls = test.Kernel.CountOf(KernelCall.Receive);
        connection.Peer.Send(bytes);
        test.Run();
        Assert.Equal(calls, test.Kernel.CountOf(KernelCall.Receive));
        Assert.Equal(5, connection.Received.Count);

        // Everything has arrived by now: no new edge comes.
        connection.OnReceived = rest => rest.Length;
        connection.Transport.Resume();
        test.Run();
        Assert.Equal([.. bytes, .. bytes], connection.Received);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void BytesThatArriveWhilePausedOrNotStarted_AreDeliveredLater(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect(isStarted: false);
        connection.Peer.Send("early"u8);
        test.Run();
        Assert.Empty(connection.Received);
        connection.Transport.Pause();
        connection.Transport.Start();
        test.Run();
        Assert.Empty(connection.Received);
        connection.Transport.Resume();
        test.Run();
        Assert.Equal("early", connection.Text);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void HangUp_IsReportedOnceWhilePausedAndTheRestStillComes(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.Transport.Pause();
        connection.Peer.Send("bye"u8);
        connection.Peer.End();
        test.Run();
        connection.Peer.Reset();
        test.Run();
        Assert.Equal(["hung up"], connection.Calls);
        connection.Transport.Resume();
        test.Run();
        Assert.Equal("bye", connection.Text);
        Assert.Equal(["hung up", "ended"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void HangUpBeforeThePause_IsReportedToo(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Transport.Pause();
            return bytes.Length;
        };
        connection.Peer.Send("x"u8);
        connection.Peer.End();
        test.Run();
        Assert.Equal(["hung up"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void FloodingConnection_LeavesTheOthersTheirTurn(string kind)
    {
        using var test = new FakeLoop(kind);
        var flooding = test.Connect();
        var quiet = test.Connect();
        flooding.Peer.Window = 10_000_000;
        flooding.Peer.Send(new byte[5_000_000]);
        quiet.Peer.Send("me too"u8);
        int floodedBefore = int.MaxValue;
        quiet.OnReceived = bytes =>
        {
            floodedBefore = flooding.Received.Count;
            return bytes.Length;
        };
        test.Run();
        Assert.InRange(floodedBefore, 0, 2 * 65 * 1024);
        Assert.Equal(5_000_000, flooding.Received.Count);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void RepliesOfOneTurn_LeaveInOneSend(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            for (int i = 0; i < 100; i++)
            {
                connection.Write(20);
            }

            return bytes.Length;
        };
        connection.Peer.Send("x"u8);
        test.Run();
        test.Post(() => connection.Write(1));
        test.Post(() => connection.Write(2));
        test.Run();
        Assert.Equal([2000, 3], connection.Peer.Sends);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void Abort_ResetsAndAProperCloseDoesNot(string kind)
    {
        using var test = new FakeLoop(kind);
        var aborted = test.Connect();
        var closed = test.Connect();
        aborted.Peer.Capacity = 0;
        test.Post(() =>
        {
            aborted.Write(10);
            closed.Write(10);
        });
        test.Run();
        aborted.Transport.Abort();
        closed.Transport.CloseAfterSending();
        test.Run();
        Assert.True(aborted.Peer is { WasReset: true, SentToUs: 0 });
        Assert.True(closed.Peer is { WasReset: false, IsEnded: true, SentToUs: 10 });
        Assert.Equal(["closed"], aborted.Calls);
        Assert.Equal(["drained", "closed"], closed.Calls);
        Assert.Equal(-1, closed.Transport.Socket);
        Assert.Equal(test.OwnDescriptors, test.Kernel.OpenCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void ProperCloseOverUnreadBytes_DoesNotLoseWhatWasSent(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Write(10);
            connection.Transport.CloseAfterSending();
            return bytes.Length;
        };
        connection.Peer.Send(new byte[150_000]);
        test.Run();
        Assert.False(connection.Peer.WasReset);
        Assert.Equal(10, connection.Peer.TakeAll().Length);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void CloseInAHandler_LeavesTheBytesOfTheHandlersAlone(string kind)
    {
        using var test = new FakeLoop(kind);
        var reader = test.Connect();
        var other = test.Connect();
        other.Transport.Pause();
        other.Peer.Send("SECRET"u8);
        test.Run();
        string seen = "";
        reader.OnReceived = bytes =>
        {
            other.Transport.CloseAfterSending();
            reader.Transport.CloseAfterSending();
            seen = Encoding.ASCII.GetString(bytes);
            return bytes.Length;
        };
        reader.Peer.Send("my own"u8);
        reader.Peer.Send(" bytes"u8);
        test.Run();
        Assert.Equal("my own bytes", seen);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void HandlerThatThrows_EndsThisConnectionOnly(string kind)
    {
        foreach (string where in (string[])["received", "drained", "ended", "hung up", "deadline"])
        {
            using var test = new FakeLoop(kind);
            var connection = test.Connect();
            var other = test.Connect();
            connection.OnReceived = bytes => where == "received" ? throw new InvalidOperationException() : bytes.Length;
            connection.OnDrained = () => ThrowIf(where == "drained");
            connection.OnEnded = () => ThrowIf(where == "ended");
            connection.OnHangUp = () => ThrowIf(where == "hung up");
            connection.OnDeadline = () => ThrowIf(where == "deadline");
            test.Post(() => connection.Transport.SetDeadline(test.Time.GetTimestamp() + TimeSpan.TicksPerSecond));
            test.Post(() => connection.Write(1));
            connection.Peer.Send("x"u8);
            test.Run();
            if (where == "hung up")
            {
                connection.Transport.Pause();
            }

            connection.Peer.End();
            test.Run();
            test.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal("closed", connection.Calls[^1]);
            Assert.Equal("failed", connection.Calls[^2]);
            other.Peer.Send("fine"u8);
            test.Run();
            Assert.Equal("fine", other.Text);
        }
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void DescriptorOfAClosedConnection_IsNotConfusedWithTheNextOne(string kind)
    {
        using var test = new FakeLoop(kind);
        List<FakeConnection> accepted = [];
        var peers = new Queue<FakePeer>();
        test.Listen(transport =>
        {
            var connection = new FakeConnection(transport, peers.Dequeue());
            accepted.Add(connection);
            transport.Start();
        });
        FakeConnection[] first = [.. Enumerable.Range(0, 20).Select(_ => test.Connect())];
        foreach (var connection in first)
        {
            // Whoever is called first closes all of them, in the middle of the events of all.
            connection.OnReceived = bytes =>
            {
                Array.ForEach(first, other => other.Transport.Abort());
                return bytes.Length;
            };
            connection.Peer.Send("old"u8);
            peers.Enqueue(test.Kernel.Connect(80)!);
            peers.Last().Send("new"u8);
            connection.Peer.Reset();
        }

        test.Run();
        Assert.All(first, connection => Assert.True(connection.IsClosed));
        Assert.Single(first, connection => connection.Received.Count > 0);
        Assert.Equal(20, accepted.Count);
        Assert.All(accepted, connection => Assert.Equal("new", connection.Text));
        Assert.All(accepted, connection => Assert.Empty(connection.Calls));
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void DetachedSocket_HasTheUnreadRestAndOpensAgain(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Transport.Pause();
            connection.Transport.Detach(connection);
            return 2;
        };
        connection.Peer.Send("abcdef"u8);
        test.Run();
        Assert.Equal("cdef"u8.ToArray(), connection.Detached!.Unread);
        Assert.Equal(0, test.Loop.ConnectionCount);
        Assert.Equal(0, test.Pool.LentCount);
        Assert.Empty(connection.Calls);
        var next = test.Open(connection.Peer);
        connection.Peer.Send("gh"u8);
        next.Transport.Unread(connection.Detached.Unread);
        next.Transport.Start();
        test.Run();
        Assert.Equal("cdefgh", next.Text);
        Assert.Equal("ab", connection.Text);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void DetachWhileTheRestIsDelivered_HandsOverWhatIsNotConsumed(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Transport.Pause();
            return 2;
        };
        connection.Peer.Send("abcdef"u8);
        test.Run();
        connection.OnReceived = bytes =>
        {
            connection.Transport.Pause();
            connection.Transport.Detach(connection);
            return 1;
        };
        connection.Transport.Resume();
        test.Run();
        Assert.Equal("def"u8.ToArray(), connection.Detached!.Unread);
        test.Kernel.Close(connection.Detached.Socket);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void DetachOfAnotherConnectionAmongItsEvents_KeepsTheNextOneClean(string kind)
    {
        using var test = new FakeLoop(kind);
        var first = test.Connect();
        var second = test.Connect();
        second.Transport.Pause();
        first.OnReceived = bytes =>
        {
            second.Transport.Detach(second);
            return bytes.Length;
        };
        FakeConnection? next = null;
        first.OnEnded = () =>
        {
            if (second.Detached is not null)
            {
                test.Kernel.Close(second.Detached.Socket);
                next = test.Open(test.Kernel.Connect(isNonBlocking: test.Kind == LoopKind.Epoll));
                next.Transport.Pause();
                next.Transport.Start();
            }
        };
        first.Peer.Send("x"u8);
        first.Peer.End();
        second.Peer.Reset();
        test.Run();
        Assert.DoesNotContain("closed", second.Calls);
        if (next is null)
        {
            // A ring hands a socket over a turn later.
            test.Kernel.Close(second.Detached!.Socket);
        }
        else
        {
            Assert.Empty(next.Calls);
        }
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void BytesGivenBackInADelivery_ComeAgainBeforeTheOthers(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        List<string> seen = [];
        connection.OnReceived = bytes =>
        {
            seen.Add(Encoding.ASCII.GetString(bytes));
            if (seen.Count > 3)
            {
                return bytes.Length;
            }

            connection.Transport.Pause();
            connection.Transport.Unread(bytes[1..3]);
            test.Post(connection.Transport.Resume);
            return 3;
        };
        connection.Peer.Send("abcdef"u8);
        test.Run();
        Assert.Equal(["abcdef", "bcdef", "cdef", "def"], seen);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void WriteOfNothing_SendsNothing(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        test.Post(() => connection.Write(0));
        test.Post(() => connection.Transport.Write(test.Pool.Rent(10), 0, 0));
        test.Run();
        test.Post(() =>
        {
            connection.Write(10);
            connection.Transport.GetSpan(OutputQueue.SegmentBytes);
            connection.Transport.GetSpan(OutputQueue.SegmentBytes * 2);
        });
        test.Run();
        Assert.Equal([10], connection.Peer.Sends);
        Assert.Equal(["drained"], connection.Calls);
        Assert.Equal(0, test.Pool.LentCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void WriteAfterTheClose_IsDropped(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.OnReceived = bytes =>
        {
            connection.Write(5);
            connection.Transport.Abort();
            connection.Write(10);
            return bytes.Length;
        };
        connection.OnClosed = () => connection.Write(20);
        connection.Peer.Send("x"u8);
        test.Run();
        Assert.Empty(connection.Peer.Sends!);
        Assert.Equal(0, test.Pool.LentCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void StallBeginsWithTheFirstByteAndEveryProgressMovesIt(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        connection.Peer.Capacity = 1000;
        test.Advance(TimeSpan.FromSeconds(5));
        test.Post(() => connection.Write(5000));
        test.Run();
        long begun = test.Time.GetTimestamp();
        test.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(begun, connection.Transport.LastSendProgress);
        connection.Peer.TakeAll();
        test.Run();
        Assert.Equal(test.Time.GetTimestamp(), connection.Transport.LastSendProgress);
        test.Post(() => connection.Transport.SetDeadline(connection.Transport.LastSendProgress + TimeSpan.TicksPerSecond));
        test.Run();
        test.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(["deadline"], connection.Calls);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void HandlerThatWritesOnEveryDrain_DoesNotKeepOthersFromTheirTurn(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        var other = test.Connect();
        int drains = 0;
        connection.OnDrained = () =>
        {
            if (drains++ == 5)
            {
                other.Peer.Send("x"u8);
            }

            if (other.Received.Count == 0)
            {
                connection.Write(1);
            }
        };
        test.Post(() => connection.Write(1));
        test.Run();
        Assert.InRange(drains, 6, 10);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void CloseFromEveryCallback_IsReportedOnceAndLast(string kind)
    {
        foreach (bool isAbort in (bool[])[false, true])
        {
            for (int where = 0; where < 5; where++)
            {
                using var test = new FakeLoop(kind);
                var connection = test.Connect();
                void Close(int place)
                {
                    if (place != where)
                    {
                        return;
                    }

                    if (isAbort)
                    {
                        connection.Transport.Abort();
                    }

                    connection.Transport.CloseAfterSending();
                    connection.Transport.Abort();
                    connection.Transport.Resume();
                    connection.Transport.Pause();
                    connection.Transport.SetDeadline(1);
                    connection.Transport.ShutdownAfterSending();
                }

                connection.OnReceived = bytes =>
                {
                    connection.Write(10);
                    Close(0);
                    return bytes.Length;
                };
                connection.OnDrained = () => Close(1);
                connection.OnEnded = () => Close(2);
                connection.OnHangUp = () => Close(3);
                connection.OnDeadline = () => Close(4);
                test.Post(() => connection.Transport.SetDeadline(test.Time.GetTimestamp() + TimeSpan.TicksPerSecond));
                connection.Peer.Send(new byte[100_000]);
                test.Run();
                if (where == 3)
                {
                    connection.Transport.Pause();
                }

                connection.Peer.End();
                test.Run();
                test.Advance(TimeSpan.FromSeconds(2));
                Assert.Equal("closed", connection.Calls[^1]);
                Assert.Single(connection.Calls, call => call == "closed");
                Assert.Equal(0, test.Loop.Timers.Count);
                Assert.Equal(0, test.Pool.LentCount);
                Assert.Equal(test.OwnDescriptors, test.Kernel.OpenCount);
            }
        }
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void AddressOfTheTwoEnds_IsKnownWhileTheSocketIsOpen(string kind)
    {
        using var test = new FakeLoop(kind);
        var connection = test.Connect();
        Assert.Equal(connection.Peer.Port, connection.Transport.RemoteEndPoint!.Port);
        Assert.Equal(80, connection.Transport.LocalEndPoint!.Port);
        connection.Transport.Abort();
        test.Run();
        Assert.Null(connection.Transport.RemoteEndPoint);
    }

    private static void ThrowIf(bool condition)
    {
        if (condition)
        {
            throw new InvalidOperationException();
        }
    }

    // Takes until nothing more comes.
    private static byte[] TakeAll(FakeLoop test, FakeConnection connection)
    {
        List<byte> taken = [];
        while (connection.Peer.Available > 0)
        {
            taken.AddRange(connection.Peer.TakeAll());
            test.Run();
        }

        return [.. taken];
    }
}
