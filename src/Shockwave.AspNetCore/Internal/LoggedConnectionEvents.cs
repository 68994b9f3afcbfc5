using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore;

/// <summary>Writes what connections report to the log.</summary>
internal sealed class LoggedConnectionEvents(ILogger logger) : ConnectionEvents
{
    public override void HandlerFailed(WebSocketConnection connection, Exception error) => ShockwaveLog.HandlerFailed(logger, connection, error);

    public override void Ended(WebSocketConnection connection, in CloseInfo info)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ShockwaveLog.Ended(logger, connection, (int)info.Code, info.Cause?.Message ?? "closed properly");
        }
    }
}
