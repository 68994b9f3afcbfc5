namespace Shockwave.Protocol;

/// <summary>Chooses the subprotocol of a connection (RFC 6455 §4.2.2). Stateless; safe from any thread.</summary>
public static class SubprotocolSelector
{
    /// <summary>Selects the first subprotocol of the client's list that the server supports.</summary>
    /// <param name="offered">The Sec-WebSocket-Protocol header of a request that <see cref="ServerHandshake.Validate"/> accepts.</param>
    /// <param name="supported">What the server supports, in any order.</param>
    /// <returns>
    /// The element of <paramref name="supported"/> to answer, or <see langword="null"/>: then the answer has no such header.
    /// What the client sent is compared case and all, and never itself returned.
    /// </returns>
    /// <remarks>
    /// The client's order counts, because RFC 6455 §4.1 has it "ordered by preference". The time is linear in the length of
    /// <paramref name="offered"/> for a given <paramref name="supported"/>.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="supported"/> is <see langword="null"/>.</exception>
    public static string? Select(HeaderValues offered, IReadOnlyList<string> supported)
    {
        ArgumentNullException.ThrowIfNull(supported);
        for (int i = 0; i < offered.Count; i++)
        {
            ReadOnlySpan<char> line = offered[i];
            foreach (var element in line.Split(','))
            {
                if (Find(line[element].Trim(HttpToken.WhiteSpace), supported) is string match)
                {
                    return match;
                }
            }
        }

        return null;
    }

    private static string? Find(ReadOnlySpan<char> subprotocol, IReadOnlyList<string> supported)
    {
        for (int i = 0; i < supported.Count; i++)
        {
            if (subprotocol.SequenceEqual(supported[i]))
            {
                return supported[i];
            }
        }

        return null;
    }
}
