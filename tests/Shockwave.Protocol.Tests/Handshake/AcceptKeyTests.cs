namespace Shockwave.Protocol.Tests;

public sealed class AcceptKeyTests
{
    private const string Rfc6455Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string Rfc6455Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    [Fact]
    public void ExampleOfRfc6455_IsAnsweredAsThere()
    {
        Assert.Equal(Rfc6455Key, AcceptKey.CreateKey("the sample nonce"u8));
        Assert.Equal(Rfc6455Accept, AcceptKey.Compute(Rfc6455Key));
        Assert.True(AcceptKey.Matches(Rfc6455Key, Rfc6455Accept));
    }

    [Fact]
    public void Computing_AllocatesNothingAndWrites28Bytes()
    {
        var accept = new byte[AcceptKey.AcceptLength + 1];
        AcceptKey.Compute(Rfc6455Key, accept);
        long before = GC.GetAllocatedBytesForCurrentThread();
        AcceptKey.Compute(Rfc6455Key, accept);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(Rfc6455Accept + "\0", System.Text.Encoding.ASCII.GetString(accept));
    }

    [Theory]
    [InlineData("")]
    [InlineData("s3pPLMBiTxaQ9kYGzzhZRbK+xOo")]
    [InlineData("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n")]
    [InlineData("s3pPLMBiTxaQ9kYGzzhZRbK+xoo=")]
    [InlineData("S3PPLMBITXAQ9KYGZZHZRBK+XOO=")]
    [InlineData("s3pPLMBiTxaQ9kYGzzhZRbK+xOé=")]
    [InlineData(Rfc6455Key)]
    public void AnotherAccept_DoesNotMatch(string accept) => Assert.False(AcceptKey.Matches(Rfc6455Key, accept));

    [Fact]
    public void EveryKeyOf16Bytes_IsAKey()
    {
        for (int last = 0; last < 256; last++)
        {
            var nonce = new byte[AcceptKey.NonceBytes];
            nonce[^1] = (byte)last;
            Assert.True(AcceptKey.IsKey(AcceptKey.CreateKey(nonce)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAA")] // 15 bytes
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAA=")] // 17 bytes
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAA")] // 18 bytes
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA")] // no padding
    [InlineData("AAAAAAAAAAAAAAAAAAAAAB==")] // a bit set beside the 16 bytes
    [InlineData("AAAAAAAAAAAAAAAAAAAAA===")]
    [InlineData("AAAAAAAAAA AAAAAAAAAAA==")]
    [InlineData("AAAAAAAAAA=AAAAAAAAAAA==")]
    [InlineData("AAAAAAAAAA-_AAAAAAAAAA==")] // base64url
    [InlineData("AAAAAAAAAA\0AAAAAAAAAAA==")]
    [InlineData("AAAAAAAAAAéAAAAAAAAAAA==")]
    [InlineData(" AAAAAAAAAAAAAAAAAAAAAA==")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA==\n")]
    public void WhatIsNotTheBase64Of16Bytes_IsNoKey(string key)
    {
        Assert.False(AcceptKey.IsKey(key));
        Assert.Throws<ArgumentException>(nameof(key), () => AcceptKey.Compute(key));
        Assert.Throws<ArgumentException>(nameof(key), () => AcceptKey.Matches(key, Rfc6455Accept));
    }

    [Fact]
    public void WrongLengths_AreTheCallersMistake()
    {
        Assert.Throws<ArgumentException>("nonce", () => AcceptKey.CreateKey(new byte[15]));
        Assert.Throws<ArgumentException>("nonce", () => AcceptKey.CreateKey(new byte[17]));
        Assert.Throws<ArgumentException>("destination", () => AcceptKey.Compute(Rfc6455Key, new byte[27]));
    }
}
