namespace Shockwave.Client;

/// <summary>Looks for the blank line that ends the head of an HTTP answer, in whatever pieces the head comes.</summary>
/// <remarks>RFC 9112 §2.2: a line ends with LF, and a CR in front of it is ignored. The reader of the head sees it the same way.</remarks>
internal struct BlankLine
{
    private State _state;

    private enum State : byte
    {
        InLine,
        AfterLineFeed,
        AfterCarriageReturn,
    }

    /// <summary>Counts the bytes up to the end of the first blank line, or all of them when there is none yet. The next call goes on behind these.</summary>
    public int CountBytesUpTo(ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\n' && _state != State.InLine)
            {
                _state = State.InLine;
                return i + 1;
            }

            _state = bytes[i] switch
            {
                (byte)'\n' => State.AfterLineFeed,
                (byte)'\r' when _state == State.AfterLineFeed => State.AfterCarriageReturn,
                _ => State.InLine,
            };
        }

        return bytes.Length;
    }
}
