using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore;

/// <summary>Writes what connections report to the log.</summary>
internal sealed class LoggedConnectionEvents(ILogger logger) : ConnectionEvents
{
    public override void HandlerFailed(WebSocketConnection connection, Exception error)
    {
        try
        {
            ShockwaveLog.HandlerFailed(logger, connection, error);
        }
        catch (Exception e)
        {
            // A logger's failure must not become the owner's: it would end the process.
            Debug.WriteLine(e);
        }
    }

    public override void Ended(WebSocketConnection connection, in CloseInfo info)
    {
        try
        {
            if (logger.IsEnabled(LogLevel.Debug))
            {
                ShockwaveLog.Ended(logger, connection, (int)info.Code, info.Cause?.Message ?? "closed properly");
            }
        }
        catch (Exception e)
        {
            Debug.WriteLine(e);
        }
    }
}
