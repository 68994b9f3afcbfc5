using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.Interop.Serving;

public sealed class TlsTests(PythonClient client) : IClassFixture<PythonClient>
{
    [Fact]
    public async Task DevelopmentCertificate_ServesWss()
    {
        await using var server = await ServeProcess.StartAsync("--dev-cert");
        Assert.Equal("https", server.Page.Scheme);
        await client.Peer.RunAsync("sized", new { url = server.Socket("echo"), size = 8192 });
        await AssertEchoAsync(server, new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = IsForLocalhost });
    }

    [Fact]
    public async Task DevelopmentCertificate_IsNotTrustedByAClientThatChecks()
    {
        await using var server = await ServeProcess.StartAsync("--dev-cert");
        var error = await Assert.ThrowsAsync<HandshakeException>(() => WebSocketClient.ConnectAsync(server.Socket("echo")));
        Assert.Null(error.StatusCode);
    }

    [Fact]
    public async Task CertificateWithEncryptedKey_ServesWss_ToClientsThatCheckIt()
    {
        using var certificate = await CertificateFile.CreateAsync("correct horse");
        await using var server = await ServeProcess.StartAsync(
            0, ["--cert", certificate.Certificate, "--key", certificate.Key], ("SHOCKWAVE_CERT_PASSPHRASE", "correct horse"));
        await client.Peer.RunAsync("sized", new { url = server.Socket("echo"), size = 8192, authority = certificate.Certificate });
        using var trusted = X509CertificateLoader.LoadCertificateFromFile(certificate.Certificate);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(trusted);
        await AssertEchoAsync(server, new SslClientAuthenticationOptions { CertificateChainPolicy = policy });
    }

    [Theory]
    [InlineData("")]
    [InlineData("wrong")]
    public async Task EncryptedKeyWithoutItsPassphrase_IsToldWithTheVariableToSet(string passphrase)
    {
        using var certificate = await CertificateFile.CreateAsync("correct horse");
        string[] arguments = ["--cert", certificate.Certificate, "--key", certificate.Key];
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ServeProcess.StartAsync(0, arguments, ("SHOCKWAVE_CERT_PASSPHRASE", passphrase)));
        Assert.Contains("ended with code 1", error.Message);
        Assert.Contains("SHOCKWAVE_CERT_PASSPHRASE", error.Message);
        Assert.DoesNotContain("   at ", error.Message);
    }

    private static bool IsForLocalhost(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.Subject == "CN=localhost" && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch);

    private static async Task AssertEchoAsync(ServeProcess server, SslClientAuthenticationOptions tls)
    {
        var connection = await WebSocketClient.ConnectAsync(server.Socket("echo"), new WebSocketClientOptions { Tls = tls });
        byte[] text = Encoding.UTF8.GetBytes("over TLS");
        connection.WriteMessage(text, MessageType.Text);
        Assert.Equal("over TLS", (await connection.ReadMessageAsync()).GetText());
        Assert.True((await connection.CloseAsync()).IsClean);
    }
}
