namespace Shockwave.Engine.Tests;

public sealed class StrandTests
{
    [Fact]
    public async Task Work_RunsOneAtATimeAndInTheOrderOfEachPoster()
    {
        const int Posters = 4, Each = 100_000;
        var strand = new Strand(TimeProvider.System);
        var log = new Log(strand, Posters * Each);
        await Task.WhenAll(Enumerable.Range(0, Posters).Select(poster => Task.Run(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                if (i % 3 == 0)
                {
                    strand.Run(log, poster, i);
                }
                else
                {
                    strand.Post(log, poster, i);
                }
            }
        })));

        await log.Done;
        Assert.Equal(0, log.Overlaps);
        Assert.Equal(0, log.Disorders);
        Assert.Equal(0, log.OffOwner);
    }

    [Fact]
    public async Task WorkThatPosts_IsNotLost()
    {
        var strand = new Strand(TimeProvider.System);
        var chain = new Chain(strand, 100_000);
        strand.Post(chain);
        await chain.Done;
        Assert.False(strand.IsCurrent);
    }

    [Fact]
    public async Task AsyncLocalOfThePoster_IsNotSeen()
    {
        var ambient = new AsyncLocal<string?> { Value = "poster" };
        var strand = new Strand(TimeProvider.System);
        var seen = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.Run(() =>
        {
            strand.Run(new Callback(() => seen.SetResult(ambient.Value)));
            Assert.Equal("poster", ambient.Value);
        });
        Assert.Null(await seen.Task);
    }

    private sealed class Log(Strand strand, int expected) : IOwnerWork
    {
        private readonly Dictionary<int, long> _last = [];
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _running;
        private int _count;

        public int Overlaps { get; private set; }

        public int Disorders { get; private set; }

        public int OffOwner { get; private set; }

        public Task Done => _done.Task;

        public void Run(object? state, long argument)
        {
            Overlaps += Interlocked.Increment(ref _running) == 1 ? 0 : 1;
            OffOwner += strand.IsCurrent ? 0 : 1;
            Disorders += _last.TryGetValue((int)state!, out long last) && last + 1 != argument ? 1 : 0;
            _last[(int)state] = argument;
            Interlocked.Decrement(ref _running);
            if (++_count == expected)
            {
                _done.SetResult();
            }
        }
    }

    private sealed class Chain(Strand strand, int length) : IOwnerWork
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Done => _done.Task;

        public void Run(object? state, long argument)
        {
            if (argument == length)
            {
                _done.SetResult();
            }
            else
            {
                strand.Post(this, null, argument + 1);
            }
        }
    }

    private sealed class Callback(Action action) : IOwnerWork
    {
        public void Run(object? state, long argument) => action();
    }
}
