namespace Shockwave.Protocol;

/// <summary>How far the closing handshake has come (RFC 6455 §7).</summary>
public enum CloseState : byte
{
    /// <summary>Neither side has sent a Close frame.</summary>
    Open,

    /// <summary>Ours is sent; the peer's is awaited.</summary>
    CloseSent,

    /// <summary>The peer's is received; ours is owed.</summary>
    CloseReceived,

    /// <summary>Both are on their way: the connection may be closed.</summary>
    Completed,
}

/// <summary>
/// The closing handshake as a state machine (RFC 6455 §7.1). A mutable value owned by one connection; not thread-safe.
/// Each Close frame counts once: a second one in either direction changes nothing.
/// </summary>
public struct CloseHandshake : IEquatable<CloseHandshake>
{
    private CloseCode _sent;
    private CloseCode _received;
    private bool _isPeerFirst;

    /// <summary>Gets how far the handshake has come.</summary>
    public readonly CloseState State => (_sent != 0, _received != 0) switch
    {
        (false, false) => CloseState.Open,
        (true, false) => CloseState.CloseSent,
        (false, true) => CloseState.CloseReceived,
        (true, true) => CloseState.Completed,
    };

    /// <summary>Gets the code that was sent, or <see langword="null"/>.</summary>
    public readonly CloseCode? Sent => _sent == 0 ? null : _sent;

    /// <summary>Gets the code that was received, or <see langword="null"/>.</summary>
    public readonly CloseCode? Received => _received == 0 ? null : _received;

    /// <summary>Gets whether the peer's Close frame came before ours.</summary>
    public readonly bool IsPeerFirst => _isPeerFirst;

    /// <summary>Gets whether data frames may still be sent (RFC 6455 §5.5.1: none after a Close frame).</summary>
    public readonly bool MaySendData => _sent == 0;

    /// <summary>Gets whether received data frames still count (RFC 6455 §5.5.1: what follows a Close frame is ignored).</summary>
    public readonly bool MayReceiveData => _received == 0;

    /// <summary>Gets the code that answers the peer's Close frame: the same code, or none if there was none (RFC 6455 §5.5.1).</summary>
    public readonly CloseCode Answer => _received == 0 ? CloseCode.NormalClosure : _received;

    /// <summary>Gets the code that says why the connection ended: of the first Close frame, or 1006 if there was none (RFC 6455 §7.1.5).</summary>
    public readonly CloseCode Outcome =>
        _received == 0 && _sent == 0 ? CloseCode.AbnormalClosure : _isPeerFirst || _sent == 0 ? _received : _sent;

    /// <summary>Compares two states.</summary>
    public static bool operator ==(CloseHandshake left, CloseHandshake right) => left.Equals(right);

    /// <summary>Compares two states.</summary>
    public static bool operator !=(CloseHandshake left, CloseHandshake right) => !left.Equals(right);

    /// <summary>Notes that a Close frame is sent.</summary>
    /// <param name="code">The code in it; <see cref="CloseCode.NoStatusReceived"/> for none.</param>
    /// <returns><see langword="false"/> when one was sent before: this one must not be.</returns>
    public bool TrySend(CloseCode code)
    {
        if (_sent != 0)
        {
            return false;
        }

        _sent = code;
        return true;
    }

    /// <summary>Notes that a Close frame was received.</summary>
    /// <param name="code">The code in it; <see cref="CloseCode.NoStatusReceived"/> for none.</param>
    /// <returns><see langword="false"/> when one was received before: this one is ignored.</returns>
    public bool TryReceive(CloseCode code)
    {
        if (_received != 0)
        {
            return false;
        }

        _received = code;
        _isPeerFirst = _sent == 0;
        return true;
    }

    /// <inheritdoc />
    public readonly bool Equals(CloseHandshake other) =>
        _sent == other._sent && _received == other._received && _isPeerFirst == other._isPeerFirst;

    /// <inheritdoc />
    public override readonly bool Equals(object? obj) => obj is CloseHandshake other && Equals(other);

    /// <inheritdoc />
    public override readonly int GetHashCode() => HashCode.Combine(_sent, _received, _isPeerFirst);
}
