using System.Text;
using Shockwave.Protocol;
using Shockwave.Testing;

namespace Shockwave.Conformance;

/// <summary>Both readings of one stream.</summary>
internal sealed record Comparison(GeneratedStream Stream, ReadRun Run, Reading Ours, Reading Theirs)
{
    private static readonly SharedDeflate _shared = new(DeflateProvider.Current, level: 1);

    public bool IsSame => Ours.Equals(Theirs);

    public ProtocolViolation? Violation => Run.Violation;

    public IReadOnlyList<ReferenceFrame> Frames => field ??= ReferenceFrames.Parse(Stream.Bytes);

    public static Comparison Of(GeneratedStream stream)
    {
        using var dedicated = stream.Extension == StreamExtension.DeflateWithContextTakeover ? DeflateProvider.Current.CreateInflater() : null;
        var inflaters = stream.Extension == StreamExtension.None ? default : new InflaterSource(dedicated is null ? _shared : null, dedicated);
        using var reader = new MessageReader(EndpointRole.Server, DifferentialTests.Limits, System.Buffers.ArrayPool<byte>.Shared, inflaters);
        var run = ReadRun.Of(reader, stream.Bytes, stream.Chunks);
        return new Comparison(stream, run, Convert(run), Oracle.Read(stream));
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(Stream.Extension).Append(' ').Append(System.Convert.ToHexString(Stream.Bytes));
        text.Append("\nours:   ").Append(Ours).Append(' ').Append(Violation);
        return text.Append("\ntheirs: ").Append(Theirs).ToString();
    }

    private static Reading Convert(ReadRun run)
    {
        string[] messages = [.. run.Messages.Select(read => Reading.Describe(read.IsText, read.Payload))];
        if (run.Violation is { } violation)
        {
            return new Reading(messages, Ending.Refused, (int)violation.CloseCode);
        }

        if (run.Events is [.., { Kind: MessageEvent.Close } close])
        {
            ClosePayload.Decode(close.Payload, out var code, out _);
            return new Reading(messages, Ending.Closed, (int)code);
        }

        return new Reading(messages, Ending.Incomplete, 0);
    }
}
