using System.Security.Cryptography;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

public sealed class StreamTransportTests : ITransportHandler, IDisposable
{
    private readonly TrackingArrayPool _pool = new();
    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedStream _stream = new();
    private readonly List<byte> _received = [];
    private readonly List<string> _calls = [];
    private readonly ManualOwner _owner;
    private readonly StreamTransport _transport;
    private Func<int, int>? _onReceived;
    private Action? _onDrained;

    public StreamTransportTests()
    {
        _owner = new ManualOwner(_time, _pool);
        _transport = new StreamTransport(_owner, _stream);
        _transport.Attach(this);
    }

    // An exception that no list of expected ones would name.
    public static TheoryData<Exception> Errors =>
        [new IOException(), new OperationCanceledException(), new ObjectDisposedException("x"), new CryptographicException(), new NotSupportedException()];

    public void Dispose()
    {
        _stream.DisposeError = null;
        _stream.Dispose();
    }

    int ITransportHandler.OnReceived(Span<byte> bytes)
    {
        int consumed = _onReceived?.Invoke(bytes.Length) ?? bytes.Length;
        _received.AddRange(bytes[..consumed]);
        return consumed;
    }

    void ITransportHandler.OnReceiveEnded(Exception? error)
    {
        _calls.Add(error is null ? "ended" : "receive failed");
        _transport.Abort();
    }

    void ITransportHandler.OnDrained()
    {
        _calls.Add("drained");
        _onDrained?.Invoke();
    }

    void ITransportHandler.OnFailed(Exception error)
    {
        _calls.Add("failed");
        _transport.Abort();
    }

    void ITransportHandler.OnDeadline() => _calls.Add("deadline");

    void ITransportHandler.OnClosed() => _calls.Add("closed");

    [Fact]
    public void IdleTransport_HoldsNoBuffer()
    {
        Start();
        Assert.Equal(0, _stream.ReadBuffer.Length);
        Receive([1, 2, 3]);
        Assert.Equal([1, 2, 3], _received);
        Assert.Equal(0, _pool.LentCount);
        Write(10);
        Assert.Equal(0, _pool.LentCount);
        AbortAndCheck();
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void ReadThatFails_EndsThisConnectionOnly(Exception error)
    {
        foreach (bool isSync in (bool[])[false, true])
        {
            using var test = new StreamTransportTests();
            test._stream.OnRead = _ => isSync ? throw error : null;
            test.Start();
            if (!isSync)
            {
                test._stream.FailRead(error);
                test._owner.RunAll();
            }

            Assert.Equal(["receive failed", "closed"], test._calls);
            test.AssertReleased();
        }
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public void WriteThatFails_EndsThisConnectionOnly(Exception error)
    {
        foreach (int how in (int[])[0, 1, 2])
        {
            using var test = new StreamTransportTests();
            test._stream.OnWrite = _ => how switch { 0 => throw error, 1 => ValueTask.FromException(error), _ => null };
            test.Start();
            test.Write(100_000);
            if (how == 2)
            {
                test._stream.FailWrite(error);
                test._owner.RunAll();
            }

            Assert.Equal(["failed", "closed"], test._calls);
            Assert.Equal(0, test._transport.UnsentBytes);
            test.AssertReleased();
        }
    }

    [Fact]
    public void StreamThatThrowsAsItCloses_IsClosedAllTheSame()
    {
        _stream.DisposeError = new CryptographicException();
        Start();
        AbortAndCheck();
    }

    [Fact]
    public void HandlerThatThrows_EndsThisConnectionOnly()
    {
        Start();
        _onReceived = _ => throw new InvalidOperationException();
        Receive([1]);
        Assert.Equal(["failed", "closed"], _calls);
        AssertReleased();
    }

    [Fact]
    public void BuffersInUse_AreKeptUntilTheStreamLetsGo()
    {
        _stream.HonoursCancellation = false;
        _stream.OnWrite = _ => null;
        Start();
        _stream.EndRead();
        _owner.RunAll();
        Write(20);
        byte[] written = _stream.WriteBuffer.ToArray();
        Assert.Equal(2, _pool.LentCount);
        _transport.CloseAfterSending();
        _stream.EndWrite();
        _owner.RunAll();
        Assert.Equal(1, _pool.LentCount);
        Assert.DoesNotContain("closed", _calls);
        Assert.Equal(written, _stream.Taken);
        _stream.EndRead(1, 2, 3);
        _owner.RunAll();
        Assert.Equal("closed", _calls[^1]);
        Assert.Empty(_received);
        AssertReleased();
    }

    [Fact]
    public void StreamThatIgnoresCancellation_IsForcedByAnAbort()
    {
        _stream.HonoursCancellation = false;
        Start();
        _transport.CloseAfterSending();
        _owner.RunAll();
        Assert.Empty(_calls);
        Assert.Equal(0, _stream.Disposals);
        AbortAndCheck();
    }

    [Fact]
    public void ProperClose_KeepsItsDeadline()
    {
        _stream.HonoursCancellation = false;
        Start();
        _transport.SetDeadline(_time.GetTimestamp() + TimeSpan.TicksPerSecond);
        _transport.CloseAfterSending();
        _time.Advance(TimeSpan.FromSeconds(2));
        _owner.RunAll();
        Assert.Equal(["deadline"], _calls);
        AbortAndCheck();
        Assert.Equal(0, _owner.Timers.Count);
    }

    [Fact]
    public void Abort_InEveryStateReturnsEveryBuffer()
    {
        for (int state = 0; state < 64; state++)
        {
            bool isWritePending = (state & 1) != 0, isUnflushed = (state & 2) != 0, isPaused = (state & 4) != 0;
            bool holdsBytes = (state & 8) != 0, isInBuffer = (state & 16) != 0, isProperFirst = (state & 32) != 0;
            using var test = new StreamTransportTests();
            test._stream.OnWrite = _ => isWritePending ? null : default(ValueTask);
            test.Start();
            if (isInBuffer)
            {
                test._stream.EndRead();
                test._owner.RunAll();
            }

            if (holdsBytes)
            {
                test._onReceived = _ =>
                {
                    test._transport.Pause();
                    return 1;
                };
                test.Receive([1, 2, 3]);
            }

            if (isPaused)
            {
                test._transport.Pause();
            }

            test.Write(50_000);
            if (isUnflushed)
            {
                test._transport.Commit(Math.Min(100, test._transport.GetSpan(100).Length));
            }

            if (isProperFirst)
            {
                test._transport.CloseAfterSending();
            }

            test._transport.Abort();
            test._transport.Abort();
            test._owner.RunAll();
            Assert.True(test._calls.Count(call => call == "closed") == 1, $"state {state}: {string.Join(", ", test._calls)}");
            Assert.Equal("closed", test._calls[^1]);
            test.AssertReleased();
        }
    }

    [Fact]
    public void LargeMessage_IsSentInPiecesThatCountAsProgress()
    {
        _stream.OnWrite = _ => null;
        Start();
        Write(200_000);
        long left = 200_000;
        while (_stream.IsWriting)
        {
            Assert.Equal(left, _transport.UnsentBytes);
            Assert.InRange(_stream.WriteBuffer.Length, 1, 64 * 1024);
            left -= _stream.WriteBuffer.Length;
            _time.Advance(TimeSpan.FromSeconds(1));
            _stream.EndWrite();
            _owner.RunAll();
            Assert.Equal(_time.GetTimestamp(), _transport.LastSendProgress);
        }

        Assert.Equal(0, left);
        Assert.Equal(200_000, _stream.Taken.Count);
        Assert.Equal(["drained"], _calls);
        AbortAndCheck();
    }

    [Fact]
    public void WritesInEveryOrderOfCompletion_LeaveInOrder()
    {
        var random = new Random(7);
        var expected = new List<byte>();
        _stream.OnWrite = _ => random.Next(2) == 0 ? null : default(ValueTask);
        Start();
        for (int i = 0; i < 500; i++)
        {
            int length = random.Next(1, 30_000);
            if (random.Next(3) == 0)
            {
                byte[] lent = _pool.Rent(length);
                lent.AsSpan(0, length).Fill((byte)i);
                _transport.Write(lent, 0, length);
            }
            else
            {
                _transport.GetSpan(length)[..length].Fill((byte)i);
                _transport.Commit(length);
            }

            expected.AddRange(Enumerable.Repeat((byte)i, length));
            if (random.Next(2) == 0)
            {
                Turn();
            }

            if (_stream.IsWriting && random.Next(2) == 0)
            {
                _stream.EndWrite();
                _owner.RunAll();
            }
        }

        Turn();
        while (_stream.IsWriting)
        {
            _stream.EndWrite();
            _owner.RunAll();
        }

        Assert.True(expected.SequenceEqual(_stream.Taken));
        Assert.Equal(0, _transport.UnsentBytes);
        Assert.Equal(0, _pool.LentCount);
        AbortAndCheck();
    }

    [Fact]
    public void PausedBytes_ComeAgainAfterTheResume()
    {
        _onReceived = length =>
        {
            _transport.Pause();
            return Math.Min(length, 2);
        };
        Start();
        Receive([1, 2, 3, 4, 5]);
        Assert.Equal([1, 2], _received);
        _transport.Resume();
        _owner.RunAll();
        Assert.Equal([1, 2, 3, 4], _received);
        _transport.Resume();
        _transport.Resume();
        _owner.RunAll();
        Assert.Equal([1, 2, 3, 4, 5], _received);
        AbortAndCheck();
    }

    [Fact]
    public void HandlerThatWritesOnEveryDrain_DoesNotKeepOthersFromTheirTurn()
    {
        int drains = 0;
        bool wasOtherRun = false;
        _onDrained = () =>
        {
            if (++drains == 5)
            {
                _owner.Post(new Callback(() => wasOtherRun = true));
            }

            if (!wasOtherRun && drains < 1000)
            {
                _transport.Commit(_transport.GetSpan(1).Length > 0 ? 1 : 0);
            }
        };
        Start();
        Write(1);
        Assert.True(wasOtherRun);
        Assert.InRange(drains, 5, 10);
        AbortAndCheck();
    }

    private void Start()
    {
        _transport.Start();
        _owner.RunAll();
    }

    // The stream says that bytes wait, then gives them.
    private void Receive(byte[] bytes)
    {
        while (_stream.IsReading && _stream.ReadBuffer.Length == 0)
        {
            _stream.EndRead();
            _owner.RunAll();
        }

        _stream.EndRead(bytes);
        _owner.RunAll();
    }

    private void Write(int count)
    {
        _transport.GetSpan(count)[..count].Fill(0x55);
        _transport.Commit(count);
        Turn();
    }

    private void Turn()
    {
        _owner.Post(new Callback(() => { }));
        _owner.RunAll();
    }

    private void AbortAndCheck()
    {
        _transport.Abort();
        _owner.RunAll();
        Assert.Equal("closed", _calls[^1]);
        Assert.Single(_calls, call => call == "closed");
        AssertReleased();
    }

    private void AssertReleased()
    {
        _pool.AssertBalanced();
        Assert.Equal(0, _transport.UnsentBytes);
        Assert.True(_stream.Disposals > 0);
    }

    private sealed class Callback(Action action) : IOwnerWork
    {
        public void Run(object? state, long argument) => action();
    }
}
