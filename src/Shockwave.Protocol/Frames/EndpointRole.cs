namespace Shockwave.Protocol;

/// <summary>Which end of the connection this endpoint is. It decides who masks (RFC 6455 §5.1).</summary>
public enum EndpointRole : byte
{
    /// <summary>Receives masked frames and sends unmasked ones.</summary>
    Server,

    /// <summary>Receives unmasked frames and sends masked ones.</summary>
    Client,
}
