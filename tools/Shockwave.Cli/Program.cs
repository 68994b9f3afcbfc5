using System.CommandLine;
using Shockwave.Cli.Serve;

var root = new RootCommand("Shockwave: a real-time server over WebSockets. Begin with: shockwave serve") { ServeCommand.Create() };

// The host deals with SIGTERM and Ctrl-C. Beside it the parser would end the process after two seconds, in the middle of closing handshakes.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
