using System.Buffers;

namespace Shockwave.Protocol;

/// <summary>The one place that knows which characters make a token (RFC 9110 §5.6.2).</summary>
internal static class HttpToken
{
    /// <summary>What may stand around the elements of a list: OWS of RFC 9110 §5.6.3.</summary>
    internal const string WhiteSpace = " \t";

    /// <summary>The characters of a token. RFC 2616 §2.2, which RFC 6455 builds on, has the same.</summary>
    internal static readonly SearchValues<char> Characters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    internal static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(Characters);
}
