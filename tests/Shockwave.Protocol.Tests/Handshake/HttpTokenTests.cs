namespace Shockwave.Protocol.Tests;

public sealed class HttpTokenTests
{
    [Fact]
    public void EveryCharacter_IsJudgedAsRfc9110Says()
    {
        for (int c = 0; c <= char.MaxValue; c++)
        {
            // RFC 9110 §5.6.2: VCHAR except delimiters.
            bool expected = c is > 0x20 and < 0x7F && !"\"(),/:;<=>?@[\\]{}".Contains((char)c);
            Assert.Equal(expected, HttpToken.IsToken([(char)c]));
            Assert.Equal(expected, HttpToken.IsToken(['a', (char)c, 'b']));
        }
    }

    [Fact]
    public void NoCharacters_AreNoToken() => Assert.False(HttpToken.IsToken(""));
}
