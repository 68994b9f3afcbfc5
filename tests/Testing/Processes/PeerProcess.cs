using System.Text.Json;

namespace Shockwave.Testing;

/// <summary>A script in another language that plays scenarios on request: one JSON line in; notes and then "done" or "failed" out.</summary>
public sealed class PeerProcess : IAsyncDisposable
{
    private const string Mark = "> ";

    private readonly ChildProcess _process;

    private PeerProcess(ChildProcess process) => _process = process;

    /// <summary>Starts a script that is asked to play scenarios, with Node.</summary>
    public static Task<PeerProcess> StartNodeAsync(string script, string package) => WhenReadyAsync(StartNode(script, package));

    /// <summary>Starts a script that is asked to play scenarios, with Debian's Python.</summary>
    public static Task<PeerProcess> StartPythonAsync(string script) => WhenReadyAsync(StartPython(script));

    /// <summary>Starts a script with Node.</summary>
    /// <param name="script">Its path.</param>
    /// <param name="package">The npm package that it needs.</param>
    /// <exception cref="InvalidOperationException">Node or the package is not installed.</exception>
    public static ChildProcess StartNode(string script, string package)
    {
        string? folder = Path.GetDirectoryName(script);
        while (folder is not null && !File.Exists(Path.Combine(folder, "package.json")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder is not null && Directory.Exists(Path.Combine(folder, "node_modules", package))
            ? ChildProcess.Start("node", [script])
            : throw new InvalidOperationException($"The npm package {package} is missing. Run eng/prerequisites, or `npm ci` in {folder}.");
    }

    /// <summary>Starts a script with Debian's Python, which sees Debian's packages whatever python3 is first on the PATH.</summary>
    /// <exception cref="InvalidOperationException">Python is not installed.</exception>
    public static ChildProcess StartPython(string script) => ChildProcess.Start("/usr/bin/python3", ["-u", script]);

    /// <summary>Plays a scenario to its end.</summary>
    /// <param name="scenario">Its name.</param>
    /// <param name="arguments">What it needs to know, an object.</param>
    /// <returns>What it found, as it reports it; often empty.</returns>
    /// <exception cref="PeerFailedException">Something was not as the scenario expects it.</exception>
    public async Task<string> RunAsync(string scenario, object arguments)
    {
        await BeginAsync(scenario, arguments);
        return await EndAsync();
    }

    /// <summary>Begins a scenario that waits for something.</summary>
    public Task BeginAsync(string scenario, object arguments) => _process.WriteLineAsync(JsonSerializer.Serialize(new { scenario, arguments }));

    /// <summary>Waits until the scenario writes a note.</summary>
    public async Task NoteAsync(string note)
    {
        string line = await _process.ReadLineAsync(line => line.StartsWith(Mark, StringComparison.Ordinal));
        if (line != $"{Mark}note {note}")
        {
            throw new PeerFailedException($"Instead of the note \"{note}\" the peer wrote: {line[Mark.Length..]}");
        }
    }

    /// <summary>Waits until the scenario ends.</summary>
    /// <returns>What it found, as it reports it; often empty.</returns>
    public async Task<string> EndAsync()
    {
        string line = await _process.ReadLineAsync(line => line.StartsWith(Mark, StringComparison.Ordinal));
        string[] parts = line[Mark.Length..].Split(' ', 2);
        string text = JsonSerializer.Deserialize<string>(parts[1])!;
        return parts[0] == "done" ? text : throw new PeerFailedException(text);
    }

    /// <summary>Asks the script to end, since only it can remove what it put into temporary folders, and kills what does not.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _process.EndInputAsync();
        }
        finally
        {
            await _process.DisposeAsync();
        }
    }

    private static async Task<PeerProcess> WhenReadyAsync(ChildProcess process)
    {
        var peer = new PeerProcess(process);
        try
        {
            await peer.NoteAsync("ready");
            return peer;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }
}

/// <summary>A peer did not see what it must see.</summary>
public sealed class PeerFailedException(string message) : Exception(message);
