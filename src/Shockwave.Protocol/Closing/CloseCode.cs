namespace Shockwave;

/// <summary>Why a connection is closed (RFC 6455 §7.4 and the IANA registry). Values 3000 to 4999 belong to libraries and applications.</summary>
public enum CloseCode : ushort
{
    /// <summary>The purpose of the connection is fulfilled.</summary>
    NormalClosure = 1000,

    /// <summary>The server goes down, or the browser leaves the page.</summary>
    GoingAway = 1001,

    /// <summary>The peer violated the protocol.</summary>
    ProtocolError = 1002,

    /// <summary>A message of a type that this endpoint does not accept.</summary>
    UnsupportedData = 1003,

    /// <summary>Reported when a Close frame carried no code. Never on the wire.</summary>
    NoStatusReceived = 1005,

    /// <summary>Reported when the connection ended without a Close frame. Never on the wire.</summary>
    AbnormalClosure = 1006,

    /// <summary>A payload that does not fit its type, such as text that is not UTF-8.</summary>
    InvalidPayloadData = 1007,

    /// <summary>A message that this endpoint's policy refuses.</summary>
    PolicyViolation = 1008,

    /// <summary>A message that is too big to process.</summary>
    MessageTooBig = 1009,

    /// <summary>The server did not accept an extension that the client needs.</summary>
    MandatoryExtension = 1010,

    /// <summary>The endpoint met a condition that it did not expect.</summary>
    InternalError = 1011,

    /// <summary>The server restarts: connect again.</summary>
    ServiceRestart = 1012,

    /// <summary>The server is overloaded: try again later.</summary>
    TryAgainLater = 1013,

    /// <summary>A gateway got an invalid answer from its upstream.</summary>
    BadGateway = 1014,

    /// <summary>Reported when the TLS handshake failed. Never on the wire.</summary>
    TlsHandshake = 1015,
}
