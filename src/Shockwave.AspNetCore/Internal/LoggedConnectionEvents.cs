using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore;

/// <summary>Writes what connections report to the log, and gives back the place of one that has ended.</summary>
internal sealed class LoggedConnectionEvents(ILogger logger, ConnectionLimits limits) : ConnectionEvents
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
        limits.Release((connection.RemoteEndPoint as IPEndPoint)?.Address);
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
