namespace Shockwave;

/// <summary>What became of a message that was to be sent.</summary>
public enum SendResult : byte
{
    /// <summary>Accepted: it leaves with this turn.</summary>
    Accepted,

    /// <summary>Accepted, and more is buffered than the high watermark: wait for <see cref="WebSocketHandler.OnDrain"/> before sending more.</summary>
    Backpressure,

    /// <summary>Refused by the overflow policy; it will not be sent.</summary>
    Dropped,

    /// <summary>The connection is closing or closed; it will not be sent.</summary>
    Closed,
}
