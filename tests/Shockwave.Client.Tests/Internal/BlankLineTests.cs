using System.Text;

namespace Shockwave.Client.Tests;

public sealed class BlankLineTests
{
    [Theory]
    [InlineData("HTTP/1.1 101 Yes\r\nA: b\r\n\r\n", "frames\n\n")]
    [InlineData("HTTP/1.1 101 Yes\nA: b\n\n", "\r\n")]
    [InlineData("HTTP/1.1 101 Yes\r\nA: b\n\r\n", "x")]
    [InlineData("HTTP/1.1 101 Yes\r\nA: b\r\r\nC: \r \n d\r\n\r\n", "\n")]
    [InlineData("\r\n\r\n", "")]
    public void Head_EndsWithItsBlankLine_HoweverItIsCut(string head, string behind)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(head + behind);
        for (int size = 1; size <= bytes.Length; size++)
        {
            var blankLine = new BlankLine();
            int position = 0;
            bool isOver = false;
            while (!isOver)
            {
                var piece = bytes.AsSpan(position, Math.Min(size, head.Length + behind.Length - position));
                int count = blankLine.CountBytesUpTo(piece);
                position += count;
                isOver = position >= head.Length;
                Assert.True(isOver || count == piece.Length);
            }

            Assert.Equal(head.Length, position);
        }
    }

    [Fact]
    public void SecondHead_IsFoundAsTheFirst()
    {
        var blankLine = new BlankLine();
        byte[] hints = "HTTP/1.1 103 Hints\r\n\r\n"u8.ToArray();
        Assert.Equal(hints.Length, blankLine.CountBytesUpTo([.. hints, .. hints]));
        Assert.Equal(hints.Length, blankLine.CountBytesUpTo([.. hints, .. hints]));
    }
}
