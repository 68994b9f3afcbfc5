namespace Shockwave.Protocol;

/// <summary>The server's side of the opening handshake (RFC 6455 §4.2). Stateless; safe from any thread.</summary>
public static class ServerHandshake
{
    /// <summary>Decides whether a request is an opening handshake that can be accepted.</summary>
    /// <param name="request">The request as the HTTP server parsed it.</param>
    /// <returns>
    /// <see langword="null"/> if it is; otherwise the answer to give. Never throws; takes time linear in the length of the headers.
    /// </returns>
    /// <remarks>
    /// The Origin is left to <see cref="OriginPolicy"/> and extensions to their negotiation. To accept, answer 101 with
    /// <see cref="AcceptKey.Compute(ReadOnlySpan{char})"/> of the key and what <see cref="SubprotocolSelector"/> selects.
    /// </remarks>
    public static HandshakeRefusal? Validate(in HandshakeRequest request)
    {
        if (request.Method != "GET")
        {
            return HandshakeRefusal.NotGet;
        }

        // RFC 6455 §4.2.1 says "HTTP/1.1 or higher", but HTTP/2 took Upgrade away: RFC 8441 has another handshake there.
        if (request.HttpVersion != "HTTP/1.1")
        {
            return HandshakeRefusal.NotHttp11;
        }

        if (request.Host.Count != 1 || request.Host[0].Length == 0)
        {
            return HandshakeRefusal.NotOneHost;
        }

        if (!request.Upgrade.ContainsToken("websocket"))
        {
            return HandshakeRefusal.NoUpgrade;
        }

        if (!request.Connection.ContainsToken("upgrade"))
        {
            return HandshakeRefusal.NoConnectionUpgrade;
        }

        // Its bytes would be read as frames by one side and as a body by the other, or by a proxy between them.
        if (request.HasBody)
        {
            return HandshakeRefusal.Body;
        }

        return ValidateVersion(request.SecWebSocketVersion)
            ?? ValidateKey(request.SecWebSocketKey)
            ?? ValidateSubprotocols(request.SecWebSocketProtocol);
    }

    /// <summary>As <see cref="Validate"/>, for an extended CONNECT of HTTP/2 (RFC 8441 §5), where Upgrade, Connection and the key mean nothing.</summary>
    internal static HandshakeRefusal? ValidateExtendedConnect(HeaderValues version, HeaderValues subprotocols)
    {
        // RFC 8441 §5: Sec-WebSocket-Version and Sec-WebSocket-Protocol are used as in RFC 6455.
        if (ValidateVersion(version) is { } refusal)
        {
            return refusal == HandshakeRefusal.NoVersion ? refusal : HandshakeRefusal.OtherVersionOverHttp2;
        }

        return ValidateSubprotocols(subprotocols);
    }

    private static HandshakeRefusal? ValidateVersion(HeaderValues version) => version.Count switch
    {
        0 => HandshakeRefusal.NoVersion,
        1 => version[0] == "13" ? null : HandshakeRefusal.OtherVersion,
        _ => HandshakeRefusal.SeveralVersions,
    };

    private static HandshakeRefusal? ValidateKey(HeaderValues key)
    {
        if (key.Count != 1)
        {
            return HandshakeRefusal.NotOneKey;
        }

        return AcceptKey.IsKey(key[0]) ? null : HandshakeRefusal.InvalidKey;
    }

    // RFC 6455 §4.1: the elements "MUST be non-empty strings" of token characters "and MUST all be unique strings".
    private static HandshakeRefusal? ValidateSubprotocols(HeaderValues offered)
    {
        HashSet<string>? seen = null;
        for (int i = 0; i < offered.Count; i++)
        {
            ReadOnlySpan<char> line = offered[i];
            foreach (var element in line.Split(','))
            {
                var subprotocol = line[element].Trim(HttpToken.WhiteSpace);
                if (!HttpToken.IsToken(subprotocol))
                {
                    return HandshakeRefusal.InvalidSubprotocol;
                }

                seen ??= new HashSet<string>(StringComparer.Ordinal);
                if (!seen.Add(subprotocol.ToString()))
                {
                    return HandshakeRefusal.DuplicateSubprotocol;
                }
            }
        }

        return null;
    }
}
