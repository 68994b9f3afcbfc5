using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace Shockwave.Conformance;

/// <summary>What all bytes of one connection must look like: eight characters, again and again.</summary>
internal sealed class Canary
{
    /// <summary>The longest payload.</summary>
    public const int MaxBytes = 96 * 1024;

    // Behind every use of a pool its arrays are filled with this, so that whoever lives on a returned one shows it.
    private const byte Poison = 0xEE;

    private static readonly int[] _pooledSizes = [256, 1024, 4096, 16 * 1024, 64 * 1024, 128 * 1024];

    private readonly byte[] _song;
    private readonly ulong _word;

    public Canary(string secret)
    {
        Secret = secret;
        byte[] word = Encoding.ASCII.GetBytes(secret);
        _word = BitConverter.ToUInt64(word);
        _song = new byte[MaxBytes];
        MemoryMarshal.Cast<byte, ulong>(_song.AsSpan()).Fill(_word);
    }

    public string Secret { get; }

    /// <summary>Makes the payload of a message.</summary>
    public ReadOnlyMemory<byte> Sing(int length) => _song.AsMemory(0, length);

    /// <summary>Says whether a payload is this one's own, to the last byte.</summary>
    public bool Owns(ReadOnlySpan<byte> payload)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        return !words.ContainsAnyExcept(_word) && payload[(words.Length * sizeof(ulong))..].SequenceEqual(_song.AsSpan(0, payload.Length % sizeof(ulong)));
    }

    /// <summary>Poisons what the calling thread would be lent next.</summary>
    public static void PoisonPools()
    {
        foreach (int size in _pooledSizes)
        {
            byte[] array = ArrayPool<byte>.Shared.Rent(size);
            array.AsSpan().Fill(Poison);
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}

/// <summary>What a run has counted, and what it should not have seen.</summary>
internal sealed class CanaryRecord(long wantedRounds)
{
    private const int MaxShownBytes = 64;

    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _rounds;

    /// <summary>Gets the task that ends with the first fault: whoever has lost a byte may wait for ever.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Gets what went wrong.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>Gets how many messages and ends were seen.</summary>
    public long Rounds => Interlocked.Read(ref _rounds);

    public bool IsOver => Rounds >= wantedRounds || !Faults.IsEmpty;

    public void CountRound() => Interlocked.Increment(ref _rounds);

    public void Check(Canary canary, ReadOnlySpan<byte> payload, string where)
    {
        if (!canary.Owns(payload))
        {
            Fail(canary, payload, where);
        }
    }

    public void Fail(Canary canary, ReadOnlySpan<byte> payload, string what) =>
        Fail($"{what} of {canary.Secret}: of {payload.Length} bytes, {Describe(canary, payload)}");

    public void Fail(string what)
    {
        Faults.Enqueue(what);
        _failed.TrySetResult();
    }

    private static string Describe(Canary canary, ReadOnlySpan<byte> payload)
    {
        int first = payload.CommonPrefixLength(canary.Sing(Math.Min(payload.Length, Canary.MaxBytes)).Span);
        var foreign = payload[first..Math.Min(first + MaxShownBytes, payload.Length)];
        return $"from {first} on: {Convert.ToHexString(foreign)} \"{Encoding.ASCII.GetString(foreign)}\"";
    }
}
