using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Shockwave.Cli.Serve;

/// <summary><c>shockwave serve</c>: a server with an echo, topics and a live page.</summary>
internal static class ServeCommand
{
    private static readonly Option<int> _port = new("--port")
    {
        Description = "The port to listen on; 0 takes a free one.",
        DefaultValueFactory = _ => 8080,
    };

    private static readonly Option<string> _host = new("--host")
    {
        Description = "The address to listen on: localhost, an IP address, or * for all. Whoever reaches it may read and write: think before you leave localhost.",
        DefaultValueFactory = _ => "localhost",
    };

    private static readonly Option<FileInfo?> _certificate = new("--cert") { Description = "The certificate (PEM, or PKCS#12 without --key): serves https and wss." };

    private static readonly Option<FileInfo?> _key = new("--key")
    {
        Description = $"The certificate's private key (PEM). A passphrase comes from {CertificateFiles.PassphraseKey} in the configuration or {CertificateFiles.PassphraseVariable} in the environment.",
    };

    private static readonly Option<bool> _developmentCertificate = new("--dev-cert") { Description = "Makes a certificate for localhost that no browser trusts, and serves https and wss with it." };

    private static readonly Option<EngineKind?> _engine = new("--engine")
    {
        Description = "What moves the bytes: epoll or iouring (event loops, Linux), portable (Kestrel's own transport), or auto, the default, which takes epoll where it can.",
    };

    private static readonly Option<int?> _loops = new("--loops") { Description = "The number of event loops, each on a thread of its own; one for each processor by default." };

    // What looks like an option and is none of the above ends up here, and so does a misspelt one: CheckSettings tells them apart.
    private static readonly Argument<string[]> _configuration = new("configuration")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "Options of the server, such as --Shockwave:MaxMessageBytes=1048576; a name that is wrong is answered with a list of all. "
            + "The environment (Shockwave__MaxMessageBytes) and appsettings.json set them too; the command line wins.",
    };

    public static Command Create()
    {
        var command = new Command("serve", "Serves an echo at /echo, topics at /topic/NAME, and at / a live page to try them with.")
        {
            _port, _host, _certificate, _key, _developmentCertificate, _engine, _loops, _configuration,
        };
        command.SetAction((result, cancellationToken) => RunAsync(
            new ServeSettings
            {
                Port = result.GetValue(_port),
                Host = result.GetValue(_host)!,
                Certificate = result.GetValue(_certificate),
                Key = result.GetValue(_key),
                MakeDevelopmentCertificate = result.GetValue(_developmentCertificate),
                Engine = result.GetValue(_engine),
                Loops = result.GetValue(_loops),
                Configuration = result.GetValue(_configuration) ?? [],
            },
            cancellationToken));
        return command;
    }

    // A mistake of the person at the keyboard gets one line on what to do, not a stack trace.
    private static async Task<int> RunAsync(ServeSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            CheckSettings(settings);
            await using var app = ServeApplication.Build(settings);
            await app.StartAsync(cancellationToken);
            Announce(app, settings);
            await app.WaitForShutdownAsync(cancellationToken);
            Console.WriteLine("Stopped.");
            return 0;
        }
        catch (IOException e) when (e.InnerException is AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
        {
            return Fail($"Port {settings.Port} is in use. Choose another with --port, or stop the program that has it.");
        }
        catch (OptionsValidationException e)
        {
            return Fail(string.Join(Environment.NewLine, e.Failures));
        }
        catch (Exception e) when (e is ArgumentException or IOException or CryptographicException or SocketException or UnauthorizedAccessException)
        {
            return Fail(e.Message);
        }
    }

    private static void CheckSettings(ServeSettings settings)
    {
        if (settings.Port is < 0 or > ushort.MaxValue)
        {
            throw new ArgumentException($"--port is {settings.Port}; it must be 0 to 65535.");
        }

        if (settings.Key is not null && settings.Certificate is null)
        {
            throw new ArgumentException("--key needs --cert.");
        }

        if (settings.Certificate is not null && settings.MakeDevelopmentCertificate)
        {
            throw new ArgumentException("--dev-cert and --cert exclude each other.");
        }

        foreach (string token in settings.Configuration)
        {
            if (!token.StartsWith("--", StringComparison.Ordinal) || !token.Contains(':') || !token.Contains('='))
            {
                throw new ArgumentException($"'{token}' is not understood. Options are listed by --help; configuration is written --Shockwave:MaxMessageBytes=1048576.");
            }
        }
    }

    private static void Announce(WebApplication app, ServeSettings settings)
    {
        string url = app.Urls.First().Replace("[::]", "localhost", StringComparison.Ordinal);
        string socket = settings.UsesTls ? url.Replace("https://", "wss://", StringComparison.Ordinal) : url.Replace("http://", "ws://", StringComparison.Ordinal);
        Console.WriteLine($"""

              Shockwave is live.

                Live page   {url}/
                Echo        {socket}/echo
                Topics      {socket}/topic/NAME
                Health      {url}/healthz
            {Notes(settings)}
              Press Ctrl-C to stop.

            """);
    }

    // What surprises people otherwise, a blank line behind each.
    private static string Notes(ServeSettings settings)
    {
        string certificate = settings.MakeDevelopmentCertificate
            ? "\n  The certificate was made for this run: a browser warns before it opens the page.\n" : "";
        string reach = settings.Host == "localhost" || (IPAddress.TryParse(settings.Host, out var address) && IPAddress.IsLoopback(address))
            ? "" : "\n  Whoever reaches this machine over the network may read and write here.\n";
        return certificate + reach;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 1;
    }
}
