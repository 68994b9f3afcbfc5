using Shockwave.Protocol;

namespace Shockwave.Conformance;

/// <summary>A frame that the server sent.</summary>
internal sealed record ReceivedFrame(Opcode Opcode, byte[] Payload)
{
    public override string ToString() => $"{Opcode} {Convert.ToHexString(Payload)}";
}
