using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore;

/// <summary>What the server writes to the log. Event ids are unique and never reused.</summary>
internal static partial class ShockwaveLog
{
    [LoggerMessage(1, LogLevel.Information, "Shockwave is ready: {Engine}; masking {Masking}, UTF-8 {Utf8}, compression {Compression}.")]
    public static partial void Started(ILogger logger, string engine, string masking, string utf8, string compression);

    [LoggerMessage(2, LogLevel.Information, "Closing {Connections} connections before the server stops.")]
    public static partial void Draining(ILogger logger, int connections);

    [LoggerMessage(3, LogLevel.Error, "The handler of {Connection} failed; the connection is closed with 1011.")]
    public static partial void HandlerFailed(ILogger logger, WebSocketConnection connection, Exception error);

    [LoggerMessage(4, LogLevel.Debug, "{Connection} ended with {Code}: {Cause}")]
    public static partial void Ended(ILogger logger, WebSocketConnection connection, int code, string cause);

    [LoggerMessage(5, LogLevel.Information, "An opening handshake was refused with {StatusCode}: {Reason}")]
    public static partial void Refused(ILogger logger, int statusCode, string reason);

    [LoggerMessage(6, LogLevel.Warning, "A connection was upgraded and closed before it began: {Reason}.")]
    public static partial void NotAdopted(ILogger logger, string reason);

    [LoggerMessage(7, LogLevel.Warning, "The kernel refuses {Engine}: {Reason}")]
    public static partial void EngineRefused(ILogger logger, string engine, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Accepting pauses: out of descriptors or memory (errno {Errno}). Connections wait in the kernel's queue.")]
    public static partial void AcceptingPaused(ILogger logger, int errno);

    [LoggerMessage(40, LogLevel.Information, "{Count} more opening handshakes were refused in the last second, the last with {StatusCode}: {Reason}")]
    public static partial void RefusedMore(ILogger logger, long count, int statusCode, string reason);

    [LoggerMessage(41, LogLevel.Warning, "A transport was registered after AddShockwave: HandshakeTimeout does not end connections that send nothing, AcceptsPerSecond does not hold, and Kestrel closes connections beyond MaxConcurrentConnections without an answer. Call AddShockwave last.")]
    public static partial void TransportIsNotLimited(ILogger logger);

    [LoggerMessage(42, LogLevel.Information, "A TCP connection was closed without an answer: {Reason}")]
    public static partial void Closed(ILogger logger, string reason);

    [LoggerMessage(43, LogLevel.Information, "{Count} more TCP connections were closed without an answer in the last second: {Reason}")]
    public static partial void ClosedMore(ILogger logger, long count, string reason);
}
