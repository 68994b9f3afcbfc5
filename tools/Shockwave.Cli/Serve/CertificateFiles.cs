using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Shockwave.Cli.Serve;

/// <summary>Loads or makes the certificate of the server.</summary>
internal static class CertificateFiles
{
    public const string PassphraseKey = "Certificate:Passphrase";
    public const string PassphraseVariable = "SHOCKWAVE_CERT_PASSPHRASE";

    public static X509Certificate2 Load(FileInfo certificate, FileInfo? key, IConfiguration configuration)
    {
        string? passphrase = configuration[PassphraseKey] ?? Environment.GetEnvironmentVariable(PassphraseVariable);
        foreach (var file in new[] { certificate, key })
        {
            if (file is { Exists: false })
            {
                throw new FileNotFoundException($"{file} does not exist.");
            }
        }

        try
        {
            return Load(certificate, key, passphrase);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // What the runtime says of an encrypted key without passphrase does not mention either.
            throw new CryptographicException(
                $"{key ?? certificate} cannot be loaded ({e.Message.TrimEnd('.')}). If it is encrypted, set its passphrase in the environment variable {PassphraseVariable}; if not, unset that.", e);
        }
    }

    public static X509Certificate2 MakeForLocalhost(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(90));
        return Portable(certificate);
    }

    private static X509Certificate2 Load(FileInfo certificate, FileInfo? key, string? passphrase)
    {
        if (key is null)
        {
            return X509CertificateLoader.LoadPkcs12FromFile(certificate.FullName, passphrase);
        }

        using var pem = passphrase is null
            ? X509Certificate2.CreateFromPemFile(certificate.FullName, key.FullName)
            : X509Certificate2.CreateFromEncryptedPemFile(certificate.FullName, passphrase, key.FullName);
        return Portable(pem);
    }

    // Windows cannot serve TLS with a key that exists in memory only; a round trip through PKCS#12 gives it a home.
    private static X509Certificate2 Portable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), password: null);
}
