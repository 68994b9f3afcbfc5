using System.CommandLine;
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
        Description = "The address to listen on: localhost, an IP address, or * for all. Nothing asks for a token: think before you leave localhost.",
        DefaultValueFactory = _ => "localhost",
    };

    private static readonly Option<FileInfo?> _certificate = new("--cert") { Description = "The certificate (PEM, or PKCS#12 without --key): serves https and wss." };

    private static readonly Option<FileInfo?> _key = new("--key")
    {
        Description = $"The certificate's private key (PEM). A passphrase comes from {CertificateFiles.PassphraseKey} in the configuration or {CertificateFiles.PassphraseVariable} in the environment.",
    };

    private static readonly Option<bool> _developmentCertificate = new("--dev-cert") { Description = "Makes a certificate for localhost that no browser trusts, and serves https and wss with it." };

    public static Command Create()
    {
        var command = new Command("serve", "Serves /echo, /topic/{name} and a live page at /.")
        {
            _port, _host, _certificate, _key, _developmentCertificate,
        };
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction((result, cancellationToken) => RunAsync(
            new ServeSettings
            {
                Port = result.GetValue(_port),
                Host = result.GetValue(_host)!,
                Certificate = result.GetValue(_certificate),
                Key = result.GetValue(_key),
                MakeDevelopmentCertificate = result.GetValue(_developmentCertificate),
                Configuration = [.. result.UnmatchedTokens],
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

              Press Ctrl-C to stop.

            """);
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 1;
    }
}
