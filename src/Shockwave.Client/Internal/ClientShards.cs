using System.Runtime.CompilerServices;
using Shockwave.Engine;

namespace Shockwave.Client;

/// <summary>The owners of all client connections of the process, as many as there are cores for each clock. Any thread.</summary>
internal static class ClientShards
{
    private static readonly ConditionalWeakTable<TimeProvider, Group> _groups = [];

    /// <summary>Picks the strand of a new connection.</summary>
    public static Shard NextStrand(TimeProvider time) => GroupOf(time).Strands.Next();

    /// <summary>Picks the event loop of a new connection; <see langword="null"/> where there is none.</summary>
    public static Shard? NextLoop(TimeProvider time, EngineKind kind)
    {
        if (kind == EngineKind.Portable || !OperatingSystem.IsLinux())
        {
            return null;
        }

        var group = GroupOf(time);
        return (kind == EngineKind.IoUring ? group.IoUringLoops : group.EpollLoops).Value?.Next();
    }

    private static Group GroupOf(TimeProvider time) => _groups.GetValue(time, static time => new Group(time));

    private sealed class Group
    {
        public Group(TimeProvider time)
        {
            Strands = new Ring(new StrandGroup(time, Environment.ProcessorCount).Strands);
            EpollLoops = new(() => TryStart(time, LoopKind.Epoll));
            IoUringLoops = new(() => TryStart(time, LoopKind.IoUring) ?? EpollLoops.Value);
        }

        public Ring Strands { get; }

        /// <summary>Gets the loops on epoll, started when asked for; <see langword="null"/> when the kernel refuses them.</summary>
        public Lazy<Ring?> EpollLoops { get; }

        /// <summary>Gets the loops on io_uring, or on epoll where the kernel refuses it.</summary>
        public Lazy<Ring?> IoUringLoops { get; }

        // They are never ended: like the strands they are there for whoever connects next.
        private static Ring? TryStart(TimeProvider time, LoopKind kind)
        {
            try
            {
                if (kind == LoopKind.IoUring)
                {
                    UringLoop.Probe(SystemCalls.Linux);
                }

                // Any other clock than the system's is a test's: one thread does for it.
                int count = time == TimeProvider.System ? Environment.ProcessorCount : 1;
                return new Ring(LoopGroup.Start(new LoopGroupOptions { Kind = kind, LoopCount = count, Time = time, Name = "Shockwave client loop" }).Loops);
            }
            catch (EngineException)
            {
                return null;
            }
        }
    }

    /// <summary>Owners that new connections are given to in turn.</summary>
    private sealed class Ring(IEnumerable<ConnectionOwner> owners)
    {
        private readonly Shard[] _shards = [.. owners.Select(owner => new Shard(owner, ConnectionEvents.None))];
        private int _next;

        public Shard Next() => _shards[(uint)Interlocked.Increment(ref _next) % (uint)_shards.Length];
    }
}
