namespace Shockwave.Testing;

/// <summary>An opening handshake that a server must not accept, as the bytes that go on the wire.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Request">The HTTP/1.1 request for a server at the given host, <c>name:port</c>.</param>
/// <param name="ExpectedStatus">The status that answers it, in whatever pieces it arrives.</param>
public sealed record IllegalHandshake(string Name, Func<string, byte[]> Request, int ExpectedStatus)
{
    /// <inheritdoc />
    public override string ToString() => Name;
}
