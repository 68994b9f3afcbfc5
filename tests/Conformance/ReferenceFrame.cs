namespace Shockwave.Conformance;

/// <summary>A frame as it stands on the wire, judged by nobody.</summary>
/// <param name="Start">Where it starts in the stream.</param>
/// <param name="First">The first byte.</param>
/// <param name="DeclaredLength">The length that the header declares.</param>
/// <param name="Payload">What is there of the payload, unmasked.</param>
/// <param name="IsHeaderCut">Whether the stream ends within the header, or where a masking key would be if the frame had one.</param>
internal sealed record ReferenceFrame(int Start, byte First, ulong DeclaredLength, byte[] Payload, bool IsHeaderCut)
{
    public bool IsData => (First & 0x08) == 0;

    public bool IsFinal => First >= 0x80;
}
