using System.Net;
using System.Net.Sockets;

namespace Shockwave.Engine;

/// <summary>The kinds of loops.</summary>
internal enum LoopKind : byte
{
    Epoll,
    IoUring,
}

/// <summary>How a group of loops runs.</summary>
internal sealed record LoopGroupOptions
{
    public LoopKind Kind { get; init; }

    public int LoopCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Gets for how long a loop looks for events before it blocks; zero blocks at once.</summary>
    public TimeSpan BusyPoll { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Gets what the threads are called, with a number behind it.</summary>
    public string Name { get; init; } = "Shockwave loop";

    /// <summary>Gets who is told the error number, on a loop, when accepting pauses for want of descriptors or memory.</summary>
    public Action<int> AcceptingPaused { get; init; } = _ => { };
}

/// <summary>Event loops, one thread each, that share what is listened to. Any thread.</summary>
internal sealed class LoopGroup : IAsyncDisposable
{
    private readonly EventLoop[] _loops;
    private readonly LoopGroupOptions _options;

    private LoopGroup(EventLoop[] loops, LoopGroupOptions options)
    {
        _loops = loops;
        _options = options;
    }

    /// <summary>Gets the loops.</summary>
    public IReadOnlyList<EventLoop> Loops => _loops;

    /// <summary>Starts the loops.</summary>
    /// <exception cref="EngineException">The kernel refuses what a loop needs.</exception>
    public static LoopGroup Start(LoopGroupOptions options)
    {
        var loops = new List<EventLoop>();
        try
        {
            while (loops.Count < options.LoopCount)
            {
                EventLoop loop = options.Kind == LoopKind.Epoll
                    ? new EpollLoop(SystemCalls.Linux, options.Time, options.BusyPoll)
                    : new UringLoop(SystemCalls.Linux, options.Time, options.BusyPoll);
                loop.Start($"{options.Name} {loops.Count}");
                loops.Add(loop);
            }
        }
        catch (EngineException)
        {
            loops.ForEach(loop => loop.Stop());
            throw;
        }

        return new LoopGroup([.. loops], options);
    }

    /// <summary>Binds an address and accepts from it on every loop.</summary>
    /// <param name="endPoint">The address; port 0 takes a free one.</param>
    /// <param name="backlog">How many connections may wait for each loop.</param>
    /// <param name="accepted">Gets each connection, not yet started, on its loop. Must not throw.</param>
    /// <param name="hasRoom">Asked on a loop after each connection; if there is no room for another, accepting pauses until <see cref="Listener.Resume"/>.</param>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public Listener Listen(IPEndPoint endPoint, int backlog, Action<SocketTransport> accepted, Func<bool>? hasRoom = null) =>
        Listener.Bind(_loops, endPoint, backlog, accepted, _options.AcceptingPaused, hasRoom);

    /// <summary>Ends the loops; connections that are left are aborted.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(_loops.Select(loop => Task.Run(loop.Stop))).ConfigureAwait(false);
}
