namespace Shockwave;

/// <summary>The opening handshake failed: the connection was never established.</summary>
public sealed class HandshakeException : ShockwaveException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="reason">What was wrong; does not contain what the peer sent.</param>
    /// <param name="statusCode">The HTTP status code of the answer, if there was one.</param>
    /// <param name="innerException">The cause, if it was another exception.</param>
    public HandshakeException(string reason, int? statusCode = null, Exception? innerException = null)
        : base(statusCode is null ? $"The opening handshake failed: {reason}." : $"The opening handshake failed with HTTP status {statusCode}: {reason}.", innerException)
    {
        Reason = reason;
        StatusCode = statusCode;
    }

    /// <summary>Gets what was wrong.</summary>
    public string Reason { get; }

    /// <summary>Gets the HTTP status code of the answer.</summary>
    /// <value><see langword="null"/> if the connection failed before there was one.</value>
    public int? StatusCode { get; }
}
