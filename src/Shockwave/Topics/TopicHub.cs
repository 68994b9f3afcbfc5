using System.Text;
using Shockwave.Engine;
using Shockwave.Protocol;

namespace Shockwave;

/// <summary>Publishes to the subscribers of all owners of one server. Any thread.</summary>
/// <remarks>
/// A publish posts once to each owner, so messages that one thread publishes to a topic arrive in order. What waits for an owner is
/// bounded: a publish that would exceed the bound anywhere is refused everywhere, before anything is posted.
/// </remarks>
internal sealed class TopicHub : IOwnerWork
{
    /// <summary>The longest topic name, in UTF-8 bytes.</summary>
    public const int MaxNameBytes = 255;

    private const long MaxWaitingBytes = 16 * 1024 * 1024;

    private readonly Shard[] _shards;
    private readonly long[] _waitingBytes;

    public TopicHub(Shard[] shards)
    {
        _shards = shards;
        _waitingBytes = new long[shards.Length];
    }

    public static void CheckName(string topic)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        if (Encoding.UTF8.GetByteCount(topic) > MaxNameBytes)
        {
            throw new ArgumentException($"A topic's name has at most {MaxNameBytes} bytes in UTF-8.", nameof(topic));
        }
    }

    public PublishResult Publish(string topic, ReadOnlySpan<byte> payload, MessageType type)
    {
        CheckName(topic);
        for (int i = 0; i < _shards.Length; i++)
        {
            if (Volatile.Read(ref _waitingBytes[i]) + Cost(payload) > MaxWaitingBytes)
            {
                return PublishResult.Refused;
            }
        }

        var publication = new Publication(topic, payload, type, _shards.Length);
        for (int i = 0; i < _shards.Length; i++)
        {
            // An owner without connections is not woken for nothing.
            if (_shards[i].Load == 0)
            {
                publication.Release();
                continue;
            }

            Interlocked.Add(ref _waitingBytes[i], Cost(payload));
            _shards[i].Owner.Post(this, publication, i);
        }

        return PublishResult.Accepted;
    }

    // With the header, so that a flood of empty messages is bounded too.
    private static int Cost(ReadOnlySpan<byte> payload) => FrameCodec.MaxHeaderBytes + payload.Length;

    void IOwnerWork.Run(object? state, long argument)
    {
        var publication = (Publication)state!;
        Interlocked.Add(ref _waitingBytes[argument], -Cost(publication.Payload));
        _shards[argument].Topics.Publish(publication);
    }
}
