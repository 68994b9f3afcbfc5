namespace Shockwave;

/// <summary>What a message is.</summary>
public enum MessageType : byte
{
    /// <summary>UTF-8 text (RFC 6455 §5.6). A received one is valid UTF-8.</summary>
    Text = 1,

    /// <summary>Arbitrary bytes.</summary>
    Binary = 2,

    /// <summary>No message: the connection was closed properly. Only pull reads return it; it cannot be sent.</summary>
    Close = 8,
}
