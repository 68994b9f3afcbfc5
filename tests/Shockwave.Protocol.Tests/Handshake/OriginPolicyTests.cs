namespace Shockwave.Protocol.Tests;

public sealed class OriginPolicyTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("https://example.com", "https", "example.com")]
    [InlineData("https://example.com", "https", "example.com:443")]
    [InlineData("https://example.com", "https", "EXAMPLE.com")]
    [InlineData("http://example.com", "http", "example.com:80")]
    [InlineData("http://example.com:443", "http", "example.com:443")]
    [InlineData("https://example.com:80", "https", "example.com:80")]
    [InlineData("https://example.com:8443", "https", "Example.Com:8443")]
    [InlineData("http://localhost:5000", "http", "localhost:5000")]
    [InlineData("http://[::1]:8080", "http", "[::1]:8080")]
    [InlineData("http://[::1]", "http", "[::1]:80")]
    [InlineData("http://[fe80::80]", "http", "[FE80::80]")]
    [InlineData("http://192.0.2.1:8080", "http", "192.0.2.1:8080")]
    [InlineData("https://xn--bcher-kva.example", "https", "xn--bcher-kva.example")]
    [InlineData("https://example.com.", "https", "example.com.")]
    public void OwnOrigin_IsAllowed(string origin, string scheme, string host) => AssertVerdict(OriginVerdict.Allowed, origin, scheme, host);

    [Theory]
    [InlineData("https://evil.com")]
    [InlineData("https://app.example.com.evil.com")]
    [InlineData("https://evilapp.example.com")]
    [InlineData("https://sub.app.example.com")]
    [InlineData("https://example.com")]
    [InlineData("https://app.example.com:8443")]
    [InlineData("https://app.example.com:4430")]
    [InlineData("http://app.example.com:8080")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("https://")]
    [InlineData("app.example.com")]
    [InlineData("//app.example.com")]
    [InlineData("https:app.example.com")]
    [InlineData("HTTPS://app.example.com")]
    [InlineData("https://APP.example.com")]
    [InlineData("https://app.example.com.")]
    [InlineData("https://app.example.com:443")]
    [InlineData("https://app.example.com:")]
    [InlineData("https://app.example.com/")]
    [InlineData("https://app.example.com/path")]
    [InlineData("https://app.example.com@evil.com")]
    [InlineData("https://user@app.example.com")]
    [InlineData("https://evil.com/app.example.com")]
    [InlineData("https://evil.com#app.example.com")]
    [InlineData("https://app.example.com\0.evil.com")]
    [InlineData("https://app.example.com%2eevil.com")]
    [InlineData("https://app.example.com https://evil.com")]
    [InlineData("https://evil.com, https://app.example.com")]
    [InlineData(" https://app.example.com")]
    [InlineData("https://app.ex\u0430mple.com")]
    [InlineData("https://app.exampl\uFF45.com")]
    [InlineData("wss://app.example.com")]
    [InlineData("file://app.example.com")]
    [InlineData("chrome-extension://app.example.com")]
    [InlineData("http://app.example.com:443")]
    public void AnotherOrigin_IsRefused(string origin) => AssertVerdict(OriginVerdict.Refused, origin, "https", "app.example.com");

    [Theory]
    [InlineData("http://[::1]:8081", "[::1]:8080")]
    [InlineData("http://[::2]:8080", "[::1]:8080")]
    [InlineData("http://127.0.0.1:8080", "localhost:8080")]
    [InlineData("http://", "")]
    [InlineData("http://", ":80")]
    [InlineData("http://null", null)]
    [InlineData("http://example.com:80", "example.com:80")]
    public void AnotherHostOrPort_IsRefused(string origin, string? host) => AssertVerdict(OriginVerdict.Refused, origin, "http", host);

    [Theory]
    [InlineData("https://example.com", "http", "example.com")]
    [InlineData("https://example.com", "http", "example.com:80")]
    [InlineData("https://example.com", "http", "EXAMPLE.COM:443")]
    [InlineData("https://example.com:8443", "http", "example.com:8443")]
    [InlineData("http://example.com", "https", "example.com")]
    [InlineData("http://example.com", "https", "example.com:443")]
    [InlineData("http://example.com", "https", "example.com:80")]
    [InlineData("https://[::1]", "http", "[::1]")]
    public void OwnOriginUnderTheOtherScheme_IsRefusedAsSuch(string origin, string scheme, string host) =>
        AssertVerdict(OriginVerdict.RefusedSchemeOnlyDiffers, origin, scheme, host);

    [Fact]
    public void SeveralOrigins_AreRefusedWhateverTheyAre()
    {
        HeaderValues origins = new[] { "https://example.com", "https://example.com" };
        Assert.Equal(OriginVerdict.RefusedSeveral, OriginPolicy.SameOrigin.Check(origins, true, "example.com"));
        Assert.Equal(OriginVerdict.RefusedSeveral, new OriginPolicy([], allowAnyOrigin: true).Check(origins, true, "example.com"));
    }

    [Fact]
    public void MissingOrigin_IsAVerdictOfItsOwn()
    {
        Assert.Equal(OriginVerdict.NoOrigin, OriginPolicy.SameOrigin.Check(default, true, "example.com"));
        Assert.Equal(OriginVerdict.NoOrigin, new OriginPolicy([], allowAnyOrigin: true).Check(default, true, "example.com"));
    }

    [Theory]
    [InlineData("https://evil.com")]
    [InlineData("null")]
    [InlineData("")]
    public void AnyOrigin_IsAllowedOnRequest(string origin) =>
        Assert.Equal(OriginVerdict.Allowed, new OriginPolicy([], allowAnyOrigin: true).Check(origin, true, "example.com"));

    [Theory]
    [InlineData("https://app.example.com", OriginVerdict.Allowed)]
    [InlineData("http://localhost:3000", OriginVerdict.Allowed)]
    [InlineData("tauri://localhost", OriginVerdict.Allowed)]
    [InlineData("https://api.example.com", OriginVerdict.Allowed)] // still the server's own
    [InlineData("http://app.example.com", OriginVerdict.Refused)]
    [InlineData("https://App.example.com", OriginVerdict.Refused)]
    [InlineData("https://app.example.com:443", OriginVerdict.Refused)]
    [InlineData("http://localhost:3001", OriginVerdict.Refused)]
    [InlineData("http://localhost", OriginVerdict.Refused)]
    public void ListedOrigin_IsAllowedExactly(string origin, OriginVerdict verdict)
    {
        var policy = new OriginPolicy(["https://app.example.com", "http://localhost:3000", "tauri://localhost"]);
        Assert.Equal(verdict, policy.Check(origin, true, "api.example.com"));
    }

    [Theory]
    [InlineData("https://example.com")]
    [InlineData("http://example.com:8080")]
    [InlineData("http://127.0.0.1:3000")]
    [InlineData("https://[::1]:8080")]
    [InlineData("https://xn--bcher-kva.example")]
    [InlineData("chrome-extension://abcdefgh")]
    public void OriginAsABrowserSendsIt_CanBeListed(string origin) =>
        Assert.Equal(OriginVerdict.Allowed, new OriginPolicy([origin]).Check(origin, false, "other.example"));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("null")]
    [InlineData("example.com")]
    [InlineData("//example.com")]
    [InlineData("https:example.com")]
    [InlineData("https://")]
    [InlineData("file:///srv")]
    [InlineData("mailto:a")]
    [InlineData("https://*.example.com")]
    [InlineData("https://user@example.com")]
    [InlineData("https://example.com?a")]
    [InlineData("https://example.com#a")]
    [InlineData("https://example.com:99999")]
    [InlineData("https://a b")]
    public void WhatIsNoOrigin_CannotBeListed(string? origin) =>
        Assert.Contains("is not an origin: write scheme://host or scheme://host:port", AssertNotListed(origin), StringComparison.Ordinal);

    [Theory]
    [InlineData("https://example.com/", "https://example.com")]
    [InlineData("https://example.com/path", "https://example.com")]
    [InlineData("https://Example.com", "https://example.com")]
    [InlineData("HTTPS://example.com", "https://example.com")]
    [InlineData("https://example.com:443", "https://example.com")]
    [InlineData("http://example.com:80", "http://example.com")]
    [InlineData("http://example.com:08080", "http://example.com:8080")]
    [InlineData(" http://example.com", "http://example.com")]
    [InlineData("wss://example.com", "https://example.com")]
    [InlineData("ws://example.com:8080", "http://example.com:8080")]
    [InlineData("https://b\u00FCcher.example", "https://xn--bcher-kva.example")]
    [InlineData("https://[0:0:0:0:0:0:0:1]:8080", "https://[::1]:8080")]
    public void OriginWrittenOtherwise_CannotBeListedAndIsCorrected(string origin, string corrected) =>
        Assert.Contains($"write '{corrected}'.", AssertNotListed(origin), StringComparison.Ordinal);

    [Fact]
    public void NoList_IsTheCallersMistake() => Assert.Throws<ArgumentNullException>("allowedOrigins", () => new OriginPolicy(null!));

    [Theory]
    [InlineData(OriginVerdict.Allowed, false, null)]
    [InlineData(OriginVerdict.Allowed, true, null)]
    [InlineData(OriginVerdict.NoOrigin, false, null)]
    [InlineData(OriginVerdict.NoOrigin, true, "a request that a cookie authenticates needs an Origin header")]
    [InlineData(OriginVerdict.RefusedSeveral, false, "Origin was sent more than once")]
    [InlineData(OriginVerdict.Refused, false, "this origin is not allowed")]
    [InlineData(OriginVerdict.RefusedSchemeOnlyDiffers, false, "the origin differs from this server in http or https only: does a proxy end TLS without being trusted?")]
    public void RefusingVerdict_IsAnswered403(OriginVerdict verdict, bool isCookieAuthenticated, string? reason)
    {
        var refusal = OriginPolicy.GetRefusal(verdict, isCookieAuthenticated);
        Assert.Equal(reason, refusal?.Reason);
        Assert.Equal(403, refusal?.StatusCode ?? 403);
    }

    [Fact]
    public void Time_IsLinear() => LinearTime.Assert(length =>
    {
        string host = new('a', length);
        HeaderValues origin = "https://" + host;
        return () => Assert.Equal(OriginVerdict.RefusedSchemeOnlyDiffers, OriginPolicy.SameOrigin.Check(origin, false, host));
    });

    [Fact]
    public void RandomOrigins_AreAllowedOnlyIfEqual()
    {
        var mutator = new HeaderMutator(output);
        var policy = new OriginPolicy(["https://app.example.com"]);
        int allowed = 0;
        for (int i = 0; i < 50_000; i++)
        {
            var origin = mutator.Header("https://app.example.com", "http://example.com", "https://example.com", "http://[::1]:8080", "null");
            bool isHttps = mutator.OneIn(2);
            string host = mutator.Pick("example.com", "Example.com:80", "example.com:443", "[::1]:8080");
            if (mutator.OneIn(10))
            {
                host = mutator.Mutate(host);
            }

            var verdict = policy.Check(origin, isHttps, host);
            var expected = origin.Count switch
            {
                0 => OriginVerdict.NoOrigin,
                1 => Expected(origin[0], isHttps, host),
                _ => OriginVerdict.RefusedSeveral,
            };
            Assert.True(expected == verdict, $"SHOCKWAVE_SEED={mutator.Seed}, origin {i}: {verdict}, but {expected} was expected.");
            allowed += verdict == OriginVerdict.Allowed ? 1 : 0;
        }

        Assert.InRange(allowed, 1_000, 45_000);
    }

    // Serialises both sides instead of comparing piece by piece.
    private static OriginVerdict Expected(string origin, bool isHttps, string host)
    {
        string[] schemes = isHttps ? ["https", "http"] : ["http", "https"];
        string[] own = new string[2];
        for (int i = 0; i < 2; i++)
        {
            string port = schemes[i] == "https" ? ":443" : ":80";
            host = host.EndsWith(port, StringComparison.Ordinal) ? host[..^port.Length] : host;
            own[i] = host.Length == 0 || host.Any(c => c > 0x7F) ? "none" : $"{schemes[i]}://{host.ToLowerInvariant()}";
        }

        return origin == own[0] || origin == "https://app.example.com" ? OriginVerdict.Allowed
            : origin == own[1] ? OriginVerdict.RefusedSchemeOnlyDiffers
            : OriginVerdict.Refused;
    }

    private static void AssertVerdict(OriginVerdict verdict, string origin, string scheme, string? host) =>
        Assert.Equal(verdict, OriginPolicy.SameOrigin.Check(origin, scheme == "https", host));

    private static string AssertNotListed(string? origin) =>
        Assert.Throws<ArgumentException>("allowedOrigins", () => new OriginPolicy(["https://example.com", origin!])).Message;
}
