namespace Shockwave.Testing;

/// <summary>What a <see cref="FakeKernel"/> does by chance: each once in so many times, 0 for never. Everything that Linux may do at any time.</summary>
internal sealed record FakeFaults
{
    /// <summary>Nothing happens by chance.</summary>
    public static FakeFaults None { get; } = new();

    /// <summary>Gets how often a call ends with EINTR.</summary>
    public int Interrupted { get; init; }

    /// <summary>Gets how often an accept fails: out of descriptors or memory, or the one who waited has left.</summary>
    public int AcceptFails { get; init; }

    /// <summary>Gets how often a send fails for want of memory.</summary>
    public int SendFails { get; init; }

    /// <summary>Gets how often an edge is reported once more for nothing.</summary>
    public int Spurious { get; init; }

    /// <summary>Gets how often HUP, ERR, RDHUP and IN of one end come in pieces.</summary>
    public int HangUpInPieces { get; init; }

    /// <summary>Gets how often a wait returns fewer events than there are.</summary>
    public int FewerEvents { get; init; }

    /// <summary>Gets how often a ring takes fewer requests than it is given.</summary>
    public int FewerRequests { get; init; }

    /// <summary>Gets whether events and completions come in any order.</summary>
    public bool IsShuffled { get; init; }

    /// <summary>Gets how often something happens in the network while a call runs (<see cref="FakeKernel.Meanwhile"/>).</summary>
    public int Meanwhile { get; init; }
}
