using System.Runtime.CompilerServices;
using Shockwave.Engine;

namespace Shockwave.Client;

/// <summary>The owners of all client connections of the process, as many as there are cores for each clock. Any thread.</summary>
internal static class ClientShards
{
    private static readonly ConditionalWeakTable<TimeProvider, Group> _groups = [];

    public static Shard Next(TimeProvider time) => _groups.GetValue(time, static time => new Group(time)).Next();

    private sealed class Group(TimeProvider time)
    {
        private readonly Shard[] _shards =
            [.. new StrandGroup(time, Environment.ProcessorCount).Strands.Select(strand => new Shard(strand, ConnectionEvents.None))];

        private int _next;

        public Shard Next() => _shards[(uint)Interlocked.Increment(ref _next) % (uint)_shards.Length];
    }
}
