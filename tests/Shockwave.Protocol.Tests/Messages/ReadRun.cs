using System.Text;
using Shockwave.Protocol;

namespace Shockwave.Testing;

/// <summary>One event that a reader reported, with its payload.</summary>
internal sealed record ReadEvent(MessageEvent Kind, bool IsText, byte[] Payload)
{
    public override string ToString() =>
        Kind == MessageEvent.Message ? $"{(IsText ? "text" : "binary")} {Convert.ToHexString(Payload)}" : $"{Kind} {Convert.ToHexString(Payload)}";
}

/// <summary>What a reader made of a stream. It ends where a connection would stop reading: at a violation or a Close frame.</summary>
/// <param name="Events">Everything before the end, and the Close frame.</param>
/// <param name="Violation">What ended it, a Close frame's payload included; <see langword="null"/> for a stream without a fault.</param>
/// <param name="Consumed">How far it was read.</param>
internal sealed record ReadRun(IReadOnlyList<ReadEvent> Events, ProtocolViolation? Violation, int Consumed)
{
    /// <summary>Gets the messages alone.</summary>
    public IEnumerable<ReadEvent> Messages => Events.Where(read => read.Kind == MessageEvent.Message);

    /// <summary>Reads a stream in chunks, each in memory of its own, as a connection does.</summary>
    public static ReadRun Of(MessageReader reader, ReadOnlySpan<byte> stream, params IEnumerable<int> chunks)
    {
        var events = new List<ReadEvent>();
        int position = 0;
        foreach (int chunk in chunks)
        {
            Span<byte> rest = stream.Slice(position, chunk).ToArray();
            do
            {
                var kind = reader.Read(rest, out int consumed, out var payload);
                Assert.True(consumed > 0 || kind == MessageEvent.Violation || rest.IsEmpty, "No progress.");
                Assert.True(kind != MessageEvent.None || consumed == rest.Length, "Nothing found, and not all consumed.");
                position += consumed;
                rest = rest[consumed..];
                if (kind == MessageEvent.Violation)
                {
                    return new ReadRun(events, reader.Violation, position);
                }

                if (kind != MessageEvent.None)
                {
                    events.Add(new ReadEvent(kind, reader.IsText, payload.ToArray()));
                }

                if (kind == MessageEvent.Close)
                {
                    return new ReadRun(events, ClosePayload.Decode(payload, out _, out _), position);
                }

                reader.ReleaseMessage();
            }
            while (!rest.IsEmpty);
        }

        return new ReadRun(events, null, position);
    }

    /// <summary>The same for two runs that read the same: all events, and the verdict.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var read in Events)
        {
            text.Append(read).Append('\n');
        }

        return text.Append(Violation).ToString();
    }
}
