namespace Shockwave;

/// <summary>What happens to a message that would take a connection's outbound queue over its limit.</summary>
public enum OverflowPolicy : byte
{
    /// <summary>The connection is closed with 1013 (try again later): the peer learns of the loss.</summary>
    CloseConnection,

    /// <summary>The new message is dropped and the sender is told by <see cref="SendResult.Dropped"/>; the peer is not.</summary>
    DropNewest,
}
