using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Shockwave.Testing;

/// <summary>A program that a test starts, reads and ends. One reader at a time; disposing it kills what is left of it and of its children.</summary>
public sealed partial class ChildProcess : IAsyncDisposable
{
    /// <summary>How long anything may take that a test waits for: far more than it needs, so that a busy machine fails nothing.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _name;
    private readonly List<string> _transcript = [];
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private int _openStreams = 2;

    private ChildProcess(Process process, string name)
    {
        _process = process;
        _name = name;
        process.OutputDataReceived += (_, line) => OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => OnLine(line.Data);
    }

    /// <summary>Gets everything that the program has written so far, to both of its outputs.</summary>
    public string Transcript
    {
        get
        {
            lock (_transcript)
            {
                return string.Join('\n', _transcript);
            }
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its path, or its name to look for on the PATH and in /usr/sbin.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables to set beside our own.</param>
    /// <exception cref="InvalidOperationException">There is no such program; the message says what brings it.</exception>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Find(program), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var child = new ChildProcess(new Process { StartInfo = start }, Path.GetFileName(program));
        try
        {
            child._process.Start();
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{program} cannot be started. Run eng/prerequisites, which installs what the tests against real peers need.", e);
        }

        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code and what it wrote.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        await using var child = Start(program, arguments, environment);
        int exitCode = await child.EndInputAsync();
        return (exitCode, child.Transcript);
    }

    /// <summary>Waits for a line, passing over those before it.</summary>
    /// <returns>The line.</returns>
    /// <exception cref="InvalidOperationException">The program ended without it; the message has what it wrote instead.</exception>
    /// <exception cref="TimeoutException">It did not come within <see cref="Patience"/>.</exception>
    public async Task<string> ReadLineAsync(Func<string, bool> isWanted)
    {
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            await foreach (string line in _lines.Reader.ReadAllAsync(timeout.Token))
            {
                if (isWanted(line))
                {
                    return line;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_name} did not write what was waited for, but:\n{Transcript}");
        }

        throw new InvalidOperationException($"{_name} ended with code {await ExitAsync()} and wrote:\n{Transcript}");
    }

    /// <summary>Writes a line to the program's input.</summary>
    /// <exception cref="InvalidOperationException">The program has ended; the message has what it wrote.</exception>
    public async Task WriteLineAsync(string line)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(line);
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            throw new InvalidOperationException($"{_name} ended with code {await ExitAsync()} and wrote:\n{Transcript}");
        }
    }

    /// <summary>Ends the program's input, which asks it to tidy up and end.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> EndInputAsync()
    {
        _process.StandardInput.Close();
        return ExitAsync();
    }

    /// <summary>Waits until the program has ended and all it wrote is in <see cref="Transcript"/>.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_name} does not end. It wrote:\n{Transcript}");
        }
    }

    /// <summary>Sends SIGTERM, as a service manager does, or SIGINT, as Ctrl-C does.</summary>
    public void Signal(PosixSignal signal) => _ = Kill(_process.Id, signal == PosixSignal.SIGINT ? 2 : 15);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await ExitAsync();
        _process.Dispose();
    }

    // What a package manager puts into sbin is not on every user's PATH.
    private static string Find(string program) =>
        Path.IsPathRooted(program) ? program
        : $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin".Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists) ?? program;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);

    private void OnLine(string? line)
    {
        if (line is null)
        {
            if (Interlocked.Decrement(ref _openStreams) == 0)
            {
                _lines.Writer.TryComplete();
            }

            return;
        }

        lock (_transcript)
        {
            _transcript.Add(line);
        }

        _lines.Writer.TryWrite(line);
    }
}
