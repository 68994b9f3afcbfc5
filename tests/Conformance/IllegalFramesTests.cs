using System.Buffers;
using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>Every illegal frame, in every chunking: through the reader, and through a whole connection.</summary>
public sealed class IllegalFramesTests(ITestOutputHelper output)
{
    private const int RandomSplits = 50;
    private const int MostAllocatedBytes = 4096;

    // A legal message before, which counts; and a ping and a message behind, which must not.
    private static readonly byte[] _before = Masked(0x81, "before");
    private static readonly byte[] _behind = [.. Masked(0x89, "ping"), .. Masked(0x81, "behind"), .. Masked(0x88)];

    private static readonly MemoryServer _server = new();

    public static TheoryData<string> Names => [.. IllegalFrames.All.Select(vector => vector.Name)];

    [Fact]
    public void Table_HasAtLeast70VectorsWithNamesOfTheirOwn()
    {
        Assert.InRange(IllegalFrames.All.Count, 70, int.MaxValue);
        Assert.Equal(IllegalFrames.All.Count, IllegalFrames.All.Select(vector => vector.Name).Distinct().Count());
        output.WriteLine($"{IllegalFrames.All.Count} illegal frames, {RandomSplits + 2} chunkings each");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void IllegalFrame_GetsTheSameVerdictInEveryChunking(string name)
    {
        var vector = Get(name);
        byte[] stream = [.. _before, .. vector.Bytes, .. _behind];
        using var shared = new SharedDeflate(DeflateProvider.Current, level: 1);
        ProtocolViolation? verdict = null;
        foreach (int[] chunks in Chunkings(stream.Length))
        {
            var pool = new TrackingArrayPool();
            using var reader = CreateReader(vector, pool, shared);
            var run = ReadRun.Of(reader, stream, chunks);

            verdict ??= run.Violation;
            Assert.Equal(vector.Code, run.Violation?.CloseCode);
            Assert.Same(verdict, run.Violation);
            Assert.Equal("before", Encoding.UTF8.GetString(Assert.Single(run.Messages).Payload));
            Assert.DoesNotContain(run.Events, read => read.Kind == MessageEvent.Ping);
            reader.Dispose();
            pool.AssertBalanced();
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void IllegalFrame_AllocatesNearlyNothing(string name)
    {
        var vector = Get(name);
        byte[] stream = [.. vector.Bytes, .. _behind];
        using var shared = new SharedDeflate(DeflateProvider.Current, level: 1);
        foreach (int chunk in (int[])[stream.Length, 1])
        {
            ReadInPlace(vector, [.. stream], chunk, shared);
            byte[] received = [.. stream];
            long before = GC.GetAllocatedBytesForCurrentThread();
            ReadInPlace(vector, received, chunk, shared);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocatedBytes);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task IllegalFrame_IsAnsweredWithItsCodeAndNothingElse(string name)
    {
        var vector = Get(name);
        byte[] stream = [.. _before, .. vector.Bytes, .. _behind];
        foreach (int[] chunks in Chunkings(stream.Length))
        {
            var (frames, info) = await _server.ServeAsync(stream, chunks, vector.IsCompressionOn);

            Assert.Equal(2, frames.Count);
            Assert.Equal((Opcode.Text, "before"), (frames[0].Opcode, Encoding.UTF8.GetString(frames[0].Payload)));
            Assert.Equal(Opcode.Close, frames[1].Opcode);
            Assert.Null(Protocol.ClosePayload.Decode(frames[1].Payload, out var code, out _));
            Assert.Equal(vector.Code, code);
            Assert.Equal(vector.Code, info.Code);
            Assert.Equal(vector.Code, Assert.IsType<ProtocolViolationException>(info.Cause).Violation.CloseCode);
        }
    }

    private static IllegalFrame Get(string name) => IllegalFrames.All.Single(vector => vector.Name == name);

    private IEnumerable<int[]> Chunkings(int length) => Chunking.Of(length, RandomSplits, new Random(TestSeed.Choose(output.WriteLine)));

    private static MessageReader CreateReader(IllegalFrame vector, ArrayPool<byte> pool, SharedDeflate shared) =>
        new(EndpointRole.Server, IllegalFrame.Limits, pool, vector.IsCompressionOn ? new InflaterSource(shared, null) : default);

    private static void ReadInPlace(IllegalFrame vector, byte[] received, int chunk, SharedDeflate shared)
    {
        using var reader = CreateReader(vector, ArrayPool<byte>.Shared, shared);
        for (int position = 0; position < received.Length; position += chunk)
        {
            var rest = received.AsSpan(position, chunk);
            while (!rest.IsEmpty)
            {
                var found = reader.Read(rest, out int consumed, out var payload);
                if (found == MessageEvent.Violation)
                {
                    return;
                }

                if (found == MessageEvent.Close)
                {
                    Assert.NotNull(Protocol.ClosePayload.Decode(payload, out _, out _));
                    return;
                }

                reader.ReleaseMessage();
                rest = rest[consumed..];
            }
        }

        Assert.Fail("Nothing was wrong.");
    }
}
