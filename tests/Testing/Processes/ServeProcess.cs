using System.Reflection;
using System.Runtime.InteropServices;

namespace Shockwave.Testing;

/// <summary>The real <c>shockwave serve</c>, started as a user starts it.</summary>
public sealed class ServeProcess : IAsyncDisposable
{
    // ShockwaveCommand.targets writes it into the test assembly.
    private static readonly string _command = AppDomain.CurrentDomain.GetAssemblies()
        .SelectMany(assembly => assembly.GetCustomAttributes<AssemblyMetadataAttribute>())
        .First(data => data.Key == "ShockwaveCommand").Value!;

    private ServeProcess(ChildProcess process, Uri page)
    {
        Process = process;
        Page = page;
    }

    /// <summary>Gets the program.</summary>
    public ChildProcess Process { get; }

    /// <summary>Gets the address of the live page, as the program printed it.</summary>
    public Uri Page { get; }

    /// <summary>Starts the program and waits until it says where it listens.</summary>
    /// <param name="arguments">Arguments behind <c>serve --port 0</c>.</param>
    public static Task<ServeProcess> StartAsync(params string[] arguments) => StartAsync(0, arguments);

    /// <summary>Starts the program on a port and waits until it says where it listens.</summary>
    public static Task<ServeProcess> StartAsync(int port, string[] arguments, params (string Name, string Value)[] environment) =>
        WhenReadyAsync(ChildProcess.Start(_command, ["serve", "--port", $"{port}", .. arguments], environment));

    /// <summary>Runs <c>shockwave</c> to its end: for a start that must fail, and for help.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => ChildProcess.RunAsync(_command, arguments);

    /// <summary>Gets the WebSocket address of an endpoint.</summary>
    public Uri Socket(string path) => new UriBuilder(Page) { Scheme = Page.Scheme == "https" ? "wss" : "ws", Path = path }.Uri;

    /// <summary>Stops the program as a service manager does.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> StopAsync(PosixSignal signal = PosixSignal.SIGTERM)
    {
        Process.Signal(signal);
        return Process.ExitAsync();
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static async Task<ServeProcess> WhenReadyAsync(ChildProcess process)
    {
        try
        {
            string line = await process.ReadLineAsync(line => line.Contains("Live page", StringComparison.Ordinal));
            await process.ReadLineAsync(line => line.Contains("Ctrl-C", StringComparison.Ordinal));
            return new ServeProcess(process, new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..].Trim()));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }
}
