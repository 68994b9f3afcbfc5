using System.Net;

namespace Shockwave.AspNetCore.Tests;

public sealed class AddressExemptionsTests
{
    private static readonly AddressExemptions _exemptions = new(
        new[] { "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "2001:4860::1" }.Select(text => AddressExemptions.Parse(text)!.Value));

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.9.9.9", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.9.9.9", true)]
    [InlineData("9.255.255.255", false)]
    [InlineData("10.0.0.0", true)]
    [InlineData("10.255.255.255", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("11.0.0.0", false)]
    [InlineData("192.0.2.7", true)]
    [InlineData("192.0.2.8", false)]
    [InlineData("2001:db8:ffff::1", true)]
    [InlineData("2001:db9::1", false)]
    [InlineData("2001:4860::1", true)]
    [InlineData("2001:4860::2", false)]
    public void LoopbackAndWhatIsListed_AreExempt(string address, bool isExempt) => Assert.Equal(isExempt, _exemptions.Contains(IPAddress.Parse(address)));
}
