using System.CommandLine;
using Shockwave.Cli.Serve;

var root = new RootCommand("Shockwave: a real-time server over WebSockets.") { ServeCommand.Create() };
return await root.Parse(args).InvokeAsync();
