using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Shockwave.Testing;

/// <summary>A certificate for localhost that nobody trusts.</summary>
public static class TestCertificate
{
    /// <summary>Gets it, with its private key.</summary>
    public static X509Certificate2 Instance { get; } = Create();

    private static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
