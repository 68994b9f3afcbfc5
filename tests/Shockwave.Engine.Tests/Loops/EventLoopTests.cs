using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class EventLoopTests
{
    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void IdleLoop_MakesNoCallButTheWait(string kind)
    {
        using var test = new FakeLoop(kind);
        var connections = Enumerable.Range(0, 10).Select(_ => test.Connect()).ToArray();
        Array.ForEach(connections, connection => connection.Peer.Send("x"u8));
        test.Run();
        int calls = test.Kernel.CallCount;
        for (int i = 0; i < 100; i++)
        {
            test.Turn();
        }

        Assert.Equal(calls + 100, test.Kernel.CallCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void End_ReleasesEverythingInEveryState(string kind)
    {
        for (int state = 0; state < 16; state++)
        {
            using var test = new FakeLoop(kind);
            test.Listen(transport => _ = new FakeConnection(transport, ((FakeSocket)test.Kernel.Find(transport.Socket)!).Peer!));
            List<FakeConnection> connections = [test.Connect(), test.Connect(isStarted: false)];
            var connection = connections[0];
            test.Kernel.Connect(80);
            if ((state & 1) != 0)
            {
                connection.Peer.Capacity = 10;
                connection.Write(50_000);
                test.Run();
            }

            if ((state & 2) != 0)
            {
                connection.OnReceived = _ =>
                {
                    connection.Transport.Pause();
                    return 0;
                };
                connection.Peer.Send("kept"u8);
                test.Run();
            }

            if ((state & 4) != 0)
            {
                // What is posted before the end still runs, whatever it opens.
                test.Post(() => connections.Add(test.Open(test.Kernel.Connect(isNonBlocking: test.Kind == LoopKind.Epoll))));
            }

            if ((state & 8) != 0)
            {
                test.Post(() => connection.Transport.SetDeadline(long.MaxValue / 2));
                test.Run();
                connection.OnClosed = () => test.Post(() => connection.Write(1));
            }

            test.End();
            Assert.All(connections, one => Assert.Equal("closed", one.Calls[^1]));
        }
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void EndedLoop_LeavesNoClockBehind(string kind)
    {
        var test = new FakeLoop(kind);
        var connection = test.Connect();
        test.Post(() => connection.Transport.SetDeadline(test.Time.GetTimestamp() + TimeSpan.TicksPerSecond));
        test.Run();
        test.End();
        Assert.Equal(0, test.Time.TimerCount);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void LoopInAProcessWithManyDescriptors_Runs(string kind)
    {
        using var test = new FakeLoop(kind, firstDescriptor: 5000);
        var connection = test.Connect();
        test.Kernel.IsBlocking = false;
        var poster = new Thread(() => test.Post(() => connection.Write(1)));
        poster.Start();
        poster.Join();
        connection.Peer.Send("hello"u8);
        test.Run();
        Assert.Equal("hello", connection.Text);
        Assert.Equal(1, connection.Peer.SentToUs);
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void PostToABlockedLoop_WakesItOnce(string kind)
    {
        var kernel = new FakeKernel { IsBlocking = true };
        var loop = FakeLoop.Create(Enum.Parse<LoopKind>(kind), kernel, TimeProvider.System);
        loop.Start("test");
        for (int round = 1; round <= 100; round++)
        {
            kernel.WaitUntilBlocked();
            int signals = kernel.CountOf(KernelCall.EventSignal);
            using var ran = new CountdownEvent(3);

            // The first wakes it; it blocks again only when all have run, because the second is posted by the first, on the loop.
            loop.Post(new FakeLoop.Callback(() =>
            {
                loop.Post(new FakeLoop.Callback(() => ran.Signal()));
                loop.Post(new FakeLoop.Callback(() => ran.Signal()));
                ran.Signal();
            }));
            ran.Wait();
            Assert.Equal(signals + 1, kernel.CountOf(KernelCall.EventSignal));
        }

        loop.Stop();
        kernel.AssertClean();
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void PostsOfManyThreads_AllRunInTheOrderOfEach(string kind)
    {
        foreach (var busyPoll in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMicroseconds(50)])
        {
            const int Count = 20_000;
            var kernel = new FakeKernel { IsBlocking = true };
            var loop = FakeLoop.Create(Enum.Parse<LoopKind>(kind), kernel, TimeProvider.System, busyPoll: busyPoll);
            loop.Start("test");
            using var ran = new CountdownEvent(2 * Count);
            var order = new[] { new Counter(ran), new Counter(ran) };
            var threads = order.Select(counter => new Thread(() =>
            {
                for (int i = 0; i < Count; i++)
                {
                    loop.Post(counter, null, i);
                }
            })).ToArray();
            Array.ForEach(threads, thread => thread.Start());
            ran.Wait();
            Array.ForEach(threads, thread => thread.Join());
            loop.Stop();
            Assert.All(order, counter => Assert.True(counter.IsInOrder));
            kernel.AssertClean();
        }
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void StopWhileOthersPost_EndsWithoutTouchingWhatIsClosed(string kind)
    {
        for (int round = 0; round < 300; round++)
        {
            var kernel = new FakeKernel { IsBlocking = true };
            var loop = FakeLoop.Create(Enum.Parse<LoopKind>(kind), kernel, TimeProvider.System);
            loop.Start("test");
            bool isOver = false;
            var poster = new Thread(() =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    loop.Post(new FakeLoop.Callback(() => { }));
                }
            });
            poster.Start();
            if (round % 2 == 0)
            {
                using var ran = new ManualResetEventSlim();
                loop.Post(new FakeLoop.Callback(ran.Set));
                ran.Wait();
            }

            loop.Stop();
            Volatile.Write(ref isOver, true);
            poster.Join();
            kernel.AssertClean();
        }
    }

    [Fact]
    public void LoopThatTheKernelRefuses_SaysSoWhereItIsStarted()
    {
        var kernel = new FakeKernel();
        kernel.Fail(KernelCall.RingCreate, 1);
        var loop = FakeLoop.Create(LoopKind.IoUring, kernel, TimeProvider.System);
        Assert.Equal(1, Assert.Throws<EngineException>(() => loop.Start("test")).Errno);
        kernel.AssertClean();
    }

    [Fact]
    public void LoopThatGetsNoBuffers_GivesItsRingBack()
    {
        var kernel = new FakeKernel();
        kernel.Fail(KernelCall.RingRegister, 22);
        var loop = FakeLoop.Create(LoopKind.IoUring, kernel, TimeProvider.System);
        Assert.Equal(22, Assert.Throws<EngineException>(() => loop.Start("test")).Errno);
        kernel.AssertClean();
    }

    [Theory]
    [MemberData(nameof(FakeLoop.Kinds), MemberType = typeof(FakeLoop))]
    public void OnTheSystemsClock_ALoopSleepsUntilTheNextDeadline_AndNobodyWakesIt(string kind)
    {
        var kernel = new FakeKernel();
        var loop = FakeLoop.Create(Enum.Parse<LoopKind>(kind), kernel, TimeProvider.System);
        loop.Enter();
        var alarm = new Alarm();
        loop.Timers.Schedule(alarm, loop.TurnTimestamp);
        long began = TimeProvider.System.GetTimestamp();
        while (alarm.Count == 0)
        {
            loop.RunTurn(mayBlock: true);
        }

        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.NotEmpty(kernel.TimedOutWaits);
        Assert.All(kernel.TimedOutWaits, wait => Assert.InRange(wait, 0, TimerWheel.Tick.TotalMilliseconds));
        Assert.Equal(0, kernel.CountOf(KernelCall.EventSignal));

        // Without a deadline it would sleep for ever.
        int waits = kernel.TimedOutWaits.Count;
        loop.RunTurn(mayBlock: true);
        Assert.Equal(waits, kernel.TimedOutWaits.Count);
        Assert.Equal(1, alarm.Count);
        loop.End();
        kernel.AssertClean();
    }

    private sealed class Alarm : TimerEntry
    {
        public int Count { get; private set; }

        protected internal override void OnDeadline() => Count++;
    }

    private sealed class Counter(CountdownEvent ran) : IOwnerWork
    {
        private long _next;

        public bool IsInOrder { get; private set; } = true;

        public void Run(object? state, long argument)
        {
            IsInOrder &= argument == _next++;
            ran.Signal();
        }
    }
}
