using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>Streams that nobody thought of. The reader may refuse them, and nothing else.</summary>
public sealed class MessageReaderFuzzTests(ITestOutputHelper output)
{
    private const int MostBytesBesideTheLimit = 64 * 1024;

    // Long enough for some hundred thousand runs; SHOCKWAVE_FUZZ_SECONDS makes it a night.
    private const int DefaultSeconds = 10;

    private static readonly MessageLimits[] _limits =
    [
        new(MaxMessageBytes: 1, MaxFrameBytes: 1, MaxFragmentsPerMessage: 1),
        new(MaxMessageBytes: 40, MaxFrameBytes: 30, MaxFragmentsPerMessage: 3),
        new(MaxMessageBytes: 1000, MaxFrameBytes: 4000, MaxFragmentsPerMessage: 64),
        new(MaxMessageBytes: 64 * 1024, MaxFrameBytes: 64 * 1024, MaxFragmentsPerMessage: 1024),
    ];

    [Fact]
    public void AnyBytes_GetOneVerdictHoweverTheyAreCut()
    {
        int seed = TestSeed.Choose(output.WriteLine);
        var random = new Random(seed);
        var generator = new StreamGenerator(random);
        using var shared = new SharedDeflate(DeflateProvider.Current, level: 1);
        var clock = TimeProvider.System;
        string? wanted = Environment.GetEnvironmentVariable("SHOCKWAVE_FUZZ_SECONDS");
        var duration = TimeSpan.FromSeconds(wanted is null ? DefaultSeconds : int.Parse(wanted, System.Globalization.CultureInfo.InvariantCulture));
        long start = clock.GetTimestamp();
        int streams = 0;
        int runs = 0;
        for (; clock.GetElapsedTime(start) < duration; streams++)
        {
            var stream = random.Next(4) switch
            {
                0 => new GeneratedStream(Noise(random), [], (StreamExtension)random.Next(3)),
                1 => Mutate(IllegalFrames.All[random.Next(IllegalFrames.All.Count)], random),
                _ => generator.Next(),
            };
            var limits = _limits[random.Next(_limits.Length)];
            var role = random.Next(16) == 0 ? EndpointRole.Client : EndpointRole.Server;
            string? verdict = null;
            foreach (int[] chunks in Chunking.Of(stream.Bytes.Length, randomCount: 2, random))
            {
                string found = Read(stream, chunks, role, limits, shared);
                runs++;
                verdict ??= found;
                if (verdict != found)
                {
                    string how = chunks.Length == stream.Bytes.Length ? "single bytes" : string.Join(',', chunks);
                    Assert.Fail($"SHOCKWAVE_SEED={seed}, stream {streams}, {stream.Extension}, {limits}: {Convert.ToHexString(stream.Bytes)}\nwhole: {verdict}\nin {how}: {found}");
                }
            }
        }

        output.WriteLine($"{streams} streams, {runs} runs");
    }

    private static string Read(GeneratedStream stream, int[] chunks, EndpointRole role, MessageLimits limits, SharedDeflate shared)
    {
        var pool = new TrackingArrayPool();
        using var dedicated = stream.Extension == StreamExtension.DeflateWithContextTakeover ? DeflateProvider.Current.CreateInflater() : null;
        var inflaters = stream.Extension == StreamExtension.None ? default : new InflaterSource(dedicated is null ? shared : null, dedicated);
        using var reader = new MessageReader(role, limits, pool, inflaters);

        var run = ReadRun.Of(reader, stream.Bytes, chunks);

        Assert.InRange(pool.MostLentBytes, 0, limits.MaxMessageBytes + MostBytesBesideTheLimit);
        Assert.All(run.Messages, message => Assert.InRange(message.Payload.Length, 0, limits.MaxMessageBytes));
        Assert.All(run.Messages, message => Assert.True(!message.IsText || System.Text.Unicode.Utf8.IsValid(message.Payload)));
        Assert.True(run.Violation is null || ClosePayload.IsValidOnWire(run.Violation.CloseCode));
        reader.Dispose();
        pool.AssertBalanced();
        return run.ToString();
    }

    private static byte[] Noise(Random random)
    {
        byte[] bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static GeneratedStream Mutate(IllegalFrame vector, Random random)
    {
        byte[] bytes = [.. vector.Bytes, .. RawFrame.Masked(0x81, "behind")];
        for (int count = random.Next(4); count > 0; count--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return new GeneratedStream(bytes, [], vector.IsCompressionOn ? StreamExtension.Deflate : StreamExtension.None);
    }
}
