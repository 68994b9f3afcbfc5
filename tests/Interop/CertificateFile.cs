using Shockwave.Testing;

namespace Shockwave.Interop;

/// <summary>A self-signed certificate for localhost that openssl makes, and its key, in a folder of their own.</summary>
internal sealed class CertificateFile : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("shockwave-certificate-");

    private CertificateFile()
    {
    }

    public string Certificate => Path.Combine(_folder.FullName, "certificate.pem");

    public string Key => Path.Combine(_folder.FullName, "key.pem");

    /// <param name="passphrase">Encrypts the key; null leaves it as it is.</param>
    public static async Task<CertificateFile> CreateAsync(string? passphrase = null)
    {
        var files = new CertificateFile();
        string[] encryption = passphrase is null ? ["-noenc"] : ["-passout", $"pass:{passphrase}"];
        var (exitCode, output) = await ChildProcess.RunAsync("openssl",
        [
            "req", "-x509", "-newkey", "rsa:2048", "-keyout", files.Key, "-out", files.Certificate, "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", .. encryption,
        ]);
        Assert.True(exitCode == 0, $"openssl ended with code {exitCode}: {output}");
        return files;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
