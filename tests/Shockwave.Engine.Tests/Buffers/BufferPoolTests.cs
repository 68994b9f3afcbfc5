namespace Shockwave.Engine.Tests;

public sealed class BufferPoolTests
{
    private static readonly int[] _classes = [256, 1024, 4096, 16384, 65536, 131072, 262144, 524288, 1048576];

    private readonly BufferPool _pool = new();

    [Fact]
    public void Rent_LendsTheShortestClassWithRoom()
    {
        for (int i = 0; i < _classes.Length; i++)
        {
            int tooShort = i == 0 ? -1 : _classes[i - 1];
            foreach (int length in new[] { tooShort + 1, (tooShort + _classes[i]) / 2, _classes[i] - 1, _classes[i] })
            {
                Assert.Equal(_classes[i], _pool.Rent(length).Length);
            }
        }
    }

    [Fact]
    public void Rent_BeyondTheLongestClass_IsAsLongAsAsked_AndNotKept()
    {
        byte[] buffer = _pool.Rent(BufferPool.MaxBufferBytes + 1);
        Assert.Equal(BufferPool.MaxBufferBytes + 1, buffer.Length);

        _pool.Return(buffer);
        Assert.Equal(0, _pool.GetStatistics().KeptBuffers);
        Assert.Equal(1, _pool.GetStatistics().OversizedBuffers);
    }

    [Fact]
    public void Rent_OfANegativeLength_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(-1));

    [Fact]
    public void Return_OfNothing_Throws() => Assert.Throws<ArgumentNullException>(() => _pool.Return(null!));

    [Fact]
    public void TryRentExact_LendsClassesOnly()
    {
        foreach (int length in _classes)
        {
            Assert.True(_pool.TryRentExact(length, out byte[]? buffer));
            Assert.Equal(length, buffer.Length);
            Assert.False(_pool.TryRentExact(length - 1, out _));
            Assert.False(_pool.TryRentExact(length + 1, out _));
        }

        Assert.False(_pool.TryRentExact(0, out _));
        Assert.False(_pool.TryRentExact(-256, out _));
        Assert.False(_pool.TryRentExact(BufferPool.MaxBufferBytes * 2, out _));
    }

    [Fact]
    public void WhatIsReturned_IsLentAgain()
    {
        byte[] buffer = _pool.Rent(5000);
        _pool.Return(buffer);
        Assert.Equal((1, 16384L), (_pool.GetStatistics().KeptBuffers, _pool.GetStatistics().KeptBytes));

        Assert.Same(buffer, _pool.Rent(16384));
        Assert.Equal(1, _pool.GetStatistics().AllocatedBuffers);
    }

    [Fact]
    public void Return_Clears_WhenAskedTo()
    {
        byte[] buffer = _pool.Rent(256);
        buffer.AsSpan().Fill(1);
        _pool.Return(buffer, clearArray: true);
        Assert.False(buffer.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void AnArrayOfAnotherLength_IsNotKept()
    {
        _pool.Return(new byte[1000]);
        Assert.Equal(0, _pool.GetStatistics().KeptBuffers);
    }

    [Fact]
    public void WhatIsKept_IsBounded()
    {
        // One array as often as one likes: nobody looks.
        int count = 65 * Math.Min(Environment.ProcessorCount, 16);
        foreach (int length in _classes)
        {
            byte[] buffer = new byte[length];
            for (int i = 0; i < count; i++)
            {
                _pool.Return(buffer);
            }
        }

        // A collection may have come between.
        var statistics = _pool.GetStatistics();
        Assert.InRange(statistics.DroppedBuffers, _classes.Length, (count * _classes.Length) - statistics.KeptBuffers);
        Assert.InRange(statistics.KeptBytes, 1, Math.Min(Environment.ProcessorCount, 16) * (long)_classes.Length * 4 * 1024 * 1024);

        _pool.Clear();
        Assert.Equal((0, 0L), (_pool.GetStatistics().KeptBuffers, _pool.GetStatistics().KeptBytes));
    }

    [Fact]
    public void Shared_LendsWhatThisThreadReturnedLast()
    {
        byte[] buffer = BufferPool.Shared.Rent(300);
        BufferPool.Shared.Return(buffer);
        Assert.Same(buffer, BufferPool.Shared.Rent(1024));
        BufferPool.Shared.Return(buffer);
    }

    [Fact]
    public void Shared_AllocatesNothing_InSteadyState()
    {
        RentAndReturn();
        long before = GC.GetAllocatedBytesForCurrentThread();
        RentAndReturn();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        static void RentAndReturn()
        {
            for (int i = 0; i < 1000; i++)
            {
                byte[] first = BufferPool.Shared.Rent(20_000);
                byte[] second = BufferPool.Shared.Rent(20_000);
                BufferPool.Shared.Return(first);
                BufferPool.Shared.Return(second);
            }
        }
    }

    /// <summary>Each renter writes its name into what it holds and finds it there when it returns it, some of it on another thread.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AMillionRentsAtOnce_NeverLendOneArrayTwice(bool isShared)
    {
        const int Rents = 1_000_000;
        var pool = isShared ? BufferPool.Shared : _pool;
        int threads = Math.Max(4, Environment.ProcessorCount);
        var passedOn = new System.Collections.Concurrent.ConcurrentQueue<(byte[] Buffer, long Name)>();
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Factory.StartNew(() => Run(thread), TaskCreationOptions.LongRunning)));
        while (passedOn.TryDequeue(out var left))
        {
            Check(left.Buffer, left.Name);
        }

        void Run(int thread)
        {
            var held = new Queue<(byte[] Buffer, long Name)>();
            for (int i = 0; i < Rents / threads; i++)
            {
                long name = ((long)thread << 32) | (uint)i;
                byte[] buffer = pool.Rent(i % 3 == 0 ? 200 : 1000);
                Write(buffer, name);
                held.Enqueue((buffer, name));
                if (held.Count > i % 7)
                {
                    var (old, oldName) = held.Dequeue();
                    Check(old, oldName);
                    if (i % 5 == 0)
                    {
                        passedOn.Enqueue((old, oldName));
                    }
                    else
                    {
                        pool.Return(old);
                    }
                }

                if (i % 4 == 0 && passedOn.TryDequeue(out var another))
                {
                    Check(another.Buffer, another.Name);
                    pool.Return(another.Buffer);
                }
            }
        }

        static void Write(byte[] buffer, long name)
        {
            BitConverter.TryWriteBytes(buffer, name);
            BitConverter.TryWriteBytes(buffer.AsSpan(buffer.Length - sizeof(long)), name);
        }

        static void Check(byte[] buffer, long name)
        {
            if (BitConverter.ToInt64(buffer) != name || BitConverter.ToInt64(buffer, buffer.Length - sizeof(long)) != name)
            {
                throw new InvalidOperationException("A buffer was lent to two at once.");
            }
        }
    }
}
