using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Shockwave.Engine;

namespace Shockwave.AspNetCore;

/// <summary>The event loops of an application, from its start to its end.</summary>
internal sealed class EngineHost : IDisposable, IAsyncDisposable
{
    private readonly ILogger _logger;

    public EngineHost(IOptions<ShockwaveOptions> options, ILoggerFactory loggers, TimeProvider? time = null)
    {
        _logger = loggers.CreateLogger("Shockwave");
        var wanted = options.Value.Engine;
        if (wanted == EngineKind.Portable)
        {
            Description = "portable, as configured";
            return;
        }

        if (!OperatingSystem.IsLinux())
        {
            Description = "portable (the event loops need Linux)";
            return;
        }

        var settings = new LoopGroupOptions
        {
            Kind = wanted == EngineKind.IoUring ? LoopKind.IoUring : LoopKind.Epoll,
            LoopCount = options.Value.Loops ?? Environment.ProcessorCount,
            BusyPoll = options.Value.BusyPoll,
            Time = time ?? TimeProvider.System,
            AcceptingPaused = ReportPause,
        };
        Loops = TryStart(settings);
        if (Loops is null && settings.Kind == LoopKind.IoUring)
        {
            settings = settings with { Kind = LoopKind.Epoll };
            Loops = TryStart(settings);
        }

        Description = Loops is null ? "portable (no event loop could be started)" : Describe(wanted, settings);
    }

    /// <summary>Gets the loops; <see langword="null"/> on the portable path.</summary>
    public LoopGroup? Loops { get; }

    /// <summary>Gets what was chosen and why, for the log.</summary>
    public string Description { get; }

    /// <inheritdoc />
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends the loops; connections that are left are aborted. Harmless when repeated.</summary>
    public ValueTask DisposeAsync() => Loops?.DisposeAsync() ?? default;

    private LoopGroup? TryStart(LoopGroupOptions settings)
    {
        try
        {
            return LoopGroup.Start(settings);
        }
        catch (EngineException e)
        {
            ShockwaveLog.EngineRefused(_logger, Name(settings.Kind), e.Message);
            return null;
        }
    }

    // Called on a loop.
    private void ReportPause(int errno)
    {
        try
        {
            ShockwaveLog.AcceptingPaused(_logger, errno);
        }
        catch (Exception e)
        {
            // A logger's failure must not become the loop's: it would end the process.
            Debug.WriteLine(e);
        }
    }

    private static string Describe(EngineKind wanted, LoopGroupOptions settings)
    {
        string loops = settings.LoopCount == 1 ? "1 loop" : $"{settings.LoopCount} loops";
        string reason = wanted == EngineKind.Auto ? ", the best for most loads; io_uring may serve some hundreds of busy connections better" : "";
        return $"{Name(settings.Kind)} on {loops}{reason}";
    }

    private static string Name(LoopKind kind) => kind == LoopKind.IoUring ? "io_uring" : "epoll";
}
