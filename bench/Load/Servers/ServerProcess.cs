using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Shockwave.Load.Servers;

/// <summary>A running server, alone on core 0 as far as the machine allows.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly string _output;

    private ServerProcess(string name, Process process, int port, string output)
    {
        Name = name;
        _process = process;
        Port = port;
        _output = output;
    }

    public string Name { get; }

    public int Port { get; }

    public int Id => _process.Id;

    public static async Task<ServerProcess> StartAsync(string name, Server server, DirectoryInfo results, CancellationToken cancellationToken)
    {
        int port = FreePort();
        string output = Path.Combine(results.FullName, $"{name.Replace('/', '-')}.log");
        string command = server.Command.Replace("{port}", $"{port}", StringComparison.Ordinal);

        // Nothing but exec, so that the process whose time is counted is the server. What it prints is never read, so it may not be a pipe.
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec taskset -c 0 {command} >'{output}' 2>&1 </dev/null"])
        {
            // One core: a collector with a thread and a heap per core would be another program. Said for all, so that it is the same for all.
            Environment = { ["DOTNET_gcServer"] = "0", ["DOTNET_TieredPGO"] = "1" },
        };
        var started = new ServerProcess(name, Process.Start(start)!, port, output);
        try
        {
            await started.WaitUntilItListensAsync(cancellationToken);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    /// <summary>Says what the server printed last, for the message of a failure.</summary>
    public string LastWords => $"{Name} ({(_process.HasExited ? $"exited with {_process.ExitCode}" : "running")}): {string.Join('\n', File.ReadLines(_output).TakeLast(5))}";

    private async Task WaitUntilItListensAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_patience);
        try
        {
            while (!await TryConnectAsync(timeout.Token))
            {
                if (_process.HasExited)
                {
                    throw new LoadException($"It does not start. {LastWords}");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, timeout.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LoadException($"It does not listen on port {Port} after {_patience.TotalSeconds} s. {LastWords}");
        }
    }

    private async Task<bool> TryConnectAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
