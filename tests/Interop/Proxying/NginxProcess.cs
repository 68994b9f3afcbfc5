using System.Net;
using System.Net.Sockets;
using Shockwave.Testing;

namespace Shockwave.Interop.Proxying;

/// <summary>nginx that ends TLS and forwards everything to one address, as its documentation sets it up for WebSockets.</summary>
internal sealed class NginxProcess : IAsyncDisposable
{
    private const int Attempts = 5;

    private readonly ChildProcess _process;
    private readonly DirectoryInfo _folder;
    private readonly CertificateFile _certificate;

    private NginxProcess(ChildProcess process, DirectoryInfo folder, CertificateFile certificate, int port)
    {
        _process = process;
        _folder = folder;
        _certificate = certificate;
        Port = port;
    }

    public int Port { get; }

    public string Authority => _certificate.Certificate;

    public static async Task<NginxProcess> StartAsync(Uri upstream)
    {
        var certificate = await CertificateFile.CreateAsync();
        var folder = Directory.CreateTempSubdirectory("shockwave-nginx-");
        for (int attempt = 1; ; attempt++)
        {
            int port = FindFreePort();
            string file = Path.Combine(folder.FullName, "nginx.conf");
            await File.WriteAllTextAsync(file, Configuration(folder.FullName, certificate, port, upstream));
            var process = ChildProcess.Start("nginx", ["-p", folder.FullName, "-e", "stderr", "-c", file]);
            try
            {
                // The port is bound before the workers start.
                await process.ReadLineAsync(line => line.Contains("start worker process ", StringComparison.Ordinal));
                return new NginxProcess(process, folder, certificate, port);
            }
            catch (InvalidOperationException) when (attempt < Attempts && process.Transcript.Contains("Address already in use", StringComparison.Ordinal))
            {
                await process.DisposeAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }

    // nginx cannot be asked for a free port; between here and its start somebody else may take this one, hence the attempts.
    private static int FindFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Configuration(string folder, CertificateFile certificate, int port, Uri upstream) => $$"""
        daemon off;
        worker_processes 1;
        pid {{folder}}/nginx.pid;
        error_log stderr notice;
        events { worker_connections 64; }
        http {
          access_log off;
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
          map $http_upgrade $connection_upgrade {
            default upgrade;
            ''      close;
          }
          server {
            listen 127.0.0.1:{{port}} ssl;
            ssl_certificate {{certificate.Certificate}};
            ssl_certificate_key {{certificate.Key}};
            location / {
              proxy_pass {{upstream.GetLeftPart(UriPartial.Authority)}};
              proxy_http_version 1.1;
              proxy_set_header Upgrade $http_upgrade;
              proxy_set_header Connection $connection_upgrade;
              proxy_set_header Host $http_host;
              proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
              proxy_set_header X-Forwarded-Proto $scheme;
            }
          }
        }
        """;
}
