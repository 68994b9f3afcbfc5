namespace Shockwave.Protocol.Tests;

public sealed class DeflateProviderTests
{
    [Fact]
    public void ThisRuntime_UsesItsOwnZlib()
    {
        Assert.IsType<NativeZlib>(DeflateProvider.Current);
        Assert.Same(DeflateProvider.Current, DeflateProvider.Current);
        Assert.Equal("zlib of the .NET runtime, window bits 9 to 15", DeflateProvider.Current.Description);
        Assert.Equal(9, DeflateProvider.Current.MinWindowBits);
    }

    [Fact]
    public void SwitchOrVariable_ForcesTheFallback()
    {
        _ = DeflateProvider.Current;
        Assert.Null(DeflateProvider.DisabledBy());
        Environment.SetEnvironmentVariable(DeflateProvider.DisableVariable, "1");
        Assert.Equal(DeflateProvider.DisableVariable, DeflateProvider.DisabledBy());
        AppContext.SetSwitch(DeflateProvider.DisableSwitch, true);
        Assert.Equal(DeflateProvider.DisableSwitch, DeflateProvider.DisabledBy());
        AppContext.SetSwitch(DeflateProvider.DisableSwitch, false);
        Environment.SetEnvironmentVariable(DeflateProvider.DisableVariable, null);
        Assert.Null(DeflateProvider.DisabledBy());

        var fallback = DeflateProvider.Choose(DeflateProvider.DisableVariable, () => new NativeZlib());
        Assert.Equal(15, fallback.MinWindowBits);
        Assert.Equal(
            "fallback, compresses with window bits 15 only: native zlib is disabled by SHOCKWAVE_DISABLE_NATIVE_ZLIB", fallback.Description);
    }

    [Fact]
    public void MissingLibraryOrExport_GivesTheFallback()
    {
        foreach (var exception in (Exception[])[new DllNotFoundException("gone"), new EntryPointNotFoundException("gone"), new BadImageFormatException("gone")])
        {
            var provider = DeflateProvider.Choose(null, () => throw exception);
            Assert.Equal("fallback, compresses with window bits 15 only: native zlib cannot be loaded: gone", provider.Description);
        }
    }

    [Fact]
    public void FailedSelfTest_GivesTheFallback()
    {
        var provider = DeflateProvider.Choose(null, () => new BrokenProvider(hasContextTakeover: true, windowBits: 9));
        Assert.IsType<ManagedZlib>(provider);
        Assert.EndsWith("failed its self-test: window bits 9, without context takeover", provider.Description);
    }

    [Fact]
    public void SmallestWindowOfTheRfc_IsGivenTheNextLargerOne()
    {
        foreach (string name in (string[])[DeflateProviders.Native, DeflateProviders.Managed])
        {
            using var inflater = DeflateProviders.Get(name).CreateInflater(windowBits: 8);
            Assert.Equal("Hello", inflater.InflateText("f2 48 cd c9 c9 07 00"));
        }
    }
}
