using System.Globalization;
using Shockwave.Load.Resources;

if (args is [FloodClients.Name, string port])
{
    Console.WriteLine(await FloodClients.MeasureAsync(int.Parse(port, CultureInfo.InvariantCulture)));
    return 0;
}

// Resources MEASUREMENT CLIENT ENGINE: what connections cost a server, which runs in this process; the clients are processes of their own.
if (args is not [string measurement, string client, string engineName] || !Enum.TryParse<Shockwave.EngineKind>(engineName, out var engine))
{
    await Console.Error.WriteLineAsync("Resources idle|held|reset|flood CLIENT Epoll|IoUring|Portable");
    return 1;
}

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
await using var server = await MeasuredServer.StartAsync(engine);
Console.WriteLine($"{measurement} {engine} {await (measurement switch
{
    "idle" => IdleMemory.MeasureAsync(server, client),
    "held" => HeldConnections.MeasureAsync(server, client),
    "reset" => ResetConnections.MeasureAsync(server),
    "flood" => Flood.MeasureAsync(server),
    _ => throw new ArgumentException($"{measurement} is no measurement."),
})}");
return 0;
