using System.Text;

namespace Shockwave.Protocol;

/// <summary>The client's side of the opening handshake (RFC 6455 §4.1). Stateless; safe from any thread.</summary>
public static class ClientHandshake
{
    /// <summary>Decides whether the server accepted the opening handshake as it must.</summary>
    /// <param name="response">The answer as the HTTP client parsed it.</param>
    /// <param name="key">The Sec-WebSocket-Key that was sent, from <see cref="AcceptKey.CreateKey"/>.</param>
    /// <param name="offeredSubprotocols">The subprotocols that were offered; none if the header was not sent.</param>
    /// <returns><see langword="null"/> if it did; otherwise why the client must fail the connection. Takes linear time.</returns>
    /// <remarks>Extensions are left to their negotiation. Redirects and authentication come before: 101 is the only status accepted.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="offeredSubprotocols"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not a key.</exception>
    public static HandshakeViolation? Validate(
        in HandshakeResponse response, ReadOnlySpan<char> key, IReadOnlyList<string> offeredSubprotocols)
    {
        ArgumentNullException.ThrowIfNull(offeredSubprotocols);
        if (response.StatusCode != 101)
        {
            return HandshakeViolation.NotSwitching;
        }

        // A server must name the one protocol it switches to; the list is for requests.
        if (response.Upgrade.Count != 1 || !Ascii.EqualsIgnoreCase(response.Upgrade[0], "websocket"))
        {
            return HandshakeViolation.NotWebSocket;
        }

        if (!response.Connection.ContainsToken("upgrade"))
        {
            return HandshakeViolation.NoConnectionUpgrade;
        }

        if (response.SecWebSocketAccept.Count != 1)
        {
            return HandshakeViolation.NotOneAccept;
        }

        if (!AcceptKey.Matches(key, response.SecWebSocketAccept[0]))
        {
            return HandshakeViolation.WrongAccept;
        }

        return ValidateSubprotocol(response.SecWebSocketProtocol, offeredSubprotocols);
    }

    private static HandshakeViolation? ValidateSubprotocol(HeaderValues selected, IReadOnlyList<string> offered) => selected.Count switch
    {
        // RFC 6455 §4.2.2: a server that agrees to none of them leaves the header out, and the connection stands.
        0 => null,
        1 => offered.Contains(selected[0], StringComparer.Ordinal) ? null : HandshakeViolation.SubprotocolNotOffered,
        _ => HandshakeViolation.SeveralSubprotocols,
    };
}
