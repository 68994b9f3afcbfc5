namespace Shockwave.Load.Servers;

/// <summary>
/// A server to measure; its shell command has <c>{port}</c> in it. It echoes at /echo; at /topic/NAME it sends each message to everyone
/// there, the sender included.
/// </summary>
internal sealed record Server(string Name, string Command)
{
    public static Server Parse(string text)
    {
        if (text.Split('=', 2) is [string name, string command])
        {
            return command.Contains("{port}", StringComparison.Ordinal) ? new Server(name, command)
                : throw new ArgumentException($"--server {name}: there is no {{port}} in its command.");
        }

        return KnownServer.All.FirstOrDefault(server => server.Name == text)
            ?? throw new ArgumentException($"--server {text}: known are {string.Join(", ", KnownServer.All.Select(server => server.Name))}; any other is written name=command.");
    }
}
