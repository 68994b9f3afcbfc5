namespace Shockwave.Load.Servers;

/// <summary>What <c>eng/bench --load</c> builds. Their limits are above any cell's, so that none closes a connection.</summary>
internal static class KnownServer
{
    public static IReadOnlyList<Server> All { get; } =
    [
        new("kestrel", "artifacts/bin/Kestrel/release/Kestrel {port}"),
        new("shockwave", "artifacts/bin/Shockwave.Cli/release/shockwave serve --port {port} --Shockwave:MaxMessageBytes=16777216 --Shockwave:MaxBufferedBytes=268435456"),
        new("gorilla", "artifacts/bench/gorilla {port}"),
        new("ws", "node bench/Load/Peers/ws/server.js {port}"),
    ];
}
