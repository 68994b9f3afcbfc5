namespace Shockwave;

/// <summary>The connection ended without a proper close, and something that needed it could not be done.</summary>
public sealed class ConnectionClosedException : ShockwaveException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="closeInfo">How the connection ended.</param>
    public ConnectionClosedException(in CloseInfo closeInfo)
        : base(Describe(closeInfo), closeInfo.Cause) => CloseInfo = closeInfo;

    /// <summary>Gets how the connection ended: the codes received and sent, which came first, and the cause.</summary>
    public CloseInfo CloseInfo { get; }

    private static string Describe(in CloseInfo info) =>
        $"The connection ended with close code {(int)info.Code}"
        + (info.CodeReceived is { } received ? $"; received {(int)received}" : "; no Close frame received")
        + (info.CodeSent is { } sent ? $"; sent {(int)sent}" : "; none sent")
        + (info.Cause is { } cause ? $"; {cause.Message}" : ".");
}
