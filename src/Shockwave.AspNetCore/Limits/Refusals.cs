using System.Globalization;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore;

/// <summary>Answers those who get no connection, counts them, and logs a line a second for each reason at most. Any thread.</summary>
internal sealed class Refusals : IDisposable
{
    private static readonly TimeSpan _logPeriod = TimeSpan.FromSeconds(1);

    private readonly RefusalCounters _counters;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly PendingLine?[] _pending = new PendingLine?[Enum.GetValues<RefusalReason>().Length];
    private readonly ITimer _timer;
    private bool _isTimerSet;

    public Refusals(RefusalCounters counters, ILogger logger, TimeProvider time)
    {
        _counters = counters;
        _logger = logger;

        // Here and not when it is first needed: a timer keeps the ambient state of whoever makes it, and that would be a request's.
        _timer = time.CreateTimer(_ => LogPending(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Answers with the refusal.</summary>
    public Task AnswerAsync(HttpContext context, Refusal refusal)
    {
        Report(refusal.Reason, refusal.StatusCode, refusal.Text);
        var response = context.Response;
        response.StatusCode = refusal.StatusCode;
        response.ContentType = "text/plain; charset=utf-8";
        if (refusal.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        if (refusal.ClosesConnection)
        {
            response.Headers.Connection = "close";
            if (HttpProtocol.IsHttp2(context.Request.Protocol))
            {
                // HTTP/2 has no such header: the connection is told to end when its streams have.
                context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            }
        }

        return response.WriteAsync(refusal.Text + "\n");
    }

    /// <summary>Counts and logs a refusal.</summary>
    /// <param name="reason">What it is counted as.</param>
    /// <param name="statusCode">The HTTP status; <see langword="null"/> for a TCP connection that was closed without an answer.</param>
    /// <param name="text">Why.</param>
    public void Report(RefusalReason reason, int? statusCode, string text)
    {
        _counters.Count(reason);
        lock (_lock)
        {
            if (_pending[(int)reason] is { } line)
            {
                line.Count++;
                line.StatusCode = statusCode;
                line.Text = text;
                return;
            }

            _pending[(int)reason] = new PendingLine();
            SetTimer();
        }

        if (statusCode is { } status)
        {
            ShockwaveLog.Refused(_logger, status, text);
        }
        else
        {
            ShockwaveLog.Closed(_logger, text);
        }
    }

    public void Dispose() => _timer.Dispose();

    // What came since the last line is told in one; a reason that was quiet for a period is told at once the next time.
    private void LogPending()
    {
        var lines = new List<PendingLine>();
        lock (_lock)
        {
            _isTimerSet = false;
            for (int i = 0; i < _pending.Length; i++)
            {
                if (_pending[i] is { Count: > 0 } line)
                {
                    lines.Add(line);
                    _pending[i] = new PendingLine();
                    SetTimer();
                }
                else
                {
                    _pending[i] = null;
                }
            }
        }

        foreach (var line in lines)
        {
            if (line.StatusCode is { } status)
            {
                ShockwaveLog.RefusedMore(_logger, line.Count, status, line.Text);
            }
            else
            {
                ShockwaveLog.ClosedMore(_logger, line.Count, line.Text);
            }
        }
    }

    private void SetTimer()
    {
        if (!_isTimerSet)
        {
            _isTimerSet = true;
            _timer.Change(_logPeriod, Timeout.InfiniteTimeSpan);
        }
    }

    private sealed class PendingLine
    {
        public long Count { get; set; }

        public int? StatusCode { get; set; }

        public string Text { get; set; } = "";
    }
}
