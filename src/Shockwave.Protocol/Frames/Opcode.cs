namespace Shockwave.Protocol;

/// <summary>What a frame is for (RFC 6455 §5.2). The values that are not named here are reserved and refused.</summary>
public enum Opcode : byte
{
    /// <summary>A further fragment of the message under way.</summary>
    Continuation = 0x0,

    /// <summary>The first or only frame of a message whose payload is UTF-8 text.</summary>
    Text = 0x1,

    /// <summary>The first or only frame of a message of arbitrary bytes.</summary>
    Binary = 0x2,

    /// <summary>Starts or completes the closing handshake.</summary>
    Close = 0x8,

    /// <summary>Asks the peer for a pong with the same payload.</summary>
    Ping = 0x9,

    /// <summary>Answers a ping, or is sent unasked as a one-way heartbeat.</summary>
    Pong = 0xA,
}
