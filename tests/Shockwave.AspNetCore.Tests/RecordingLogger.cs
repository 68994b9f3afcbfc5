using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Shockwave.AspNetCore.Tests;

/// <summary>Keeps what the server logs under its own name.</summary>
internal sealed class RecordingLogger : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(int Id, LogLevel Level, string Text)> _events = new();

    public IReadOnlyCollection<(int Id, LogLevel Level, string Text)> Events => _events;

    public ILogger CreateLogger(string categoryName) => categoryName == "Shockwave" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _events.Enqueue((eventId.Id, logLevel, formatter(state, exception)));

    public void Dispose()
    {
    }
}
