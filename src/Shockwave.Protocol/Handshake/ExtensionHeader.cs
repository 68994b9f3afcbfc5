using System.Diagnostics.CodeAnalysis;

namespace Shockwave.Protocol;

/// <summary>
/// Reads <c>Sec-WebSocket-Extensions</c> (RFC 6455 §9.1), in offers and in responses. Stateless; safe from any thread.
/// </summary>
/// <remarks>Takes time linear in the input, whatever it contains, and keeps at most <see cref="MaxElements"/> names.</remarks>
public static class ExtensionHeader
{
    /// <summary>The most extensions and parameters together in one header; a longer one is refused. Browsers send three.</summary>
    public const int MaxElements = 64;

    /// <summary>Reads the header's lines as the one list that they stand for.</summary>
    /// <param name="lines">The value of each header line with this name, in the order received.</param>
    /// <param name="extensions">The extensions in order of preference on <see langword="true"/>; otherwise empty.</param>
    /// <param name="error">A constant text on <see langword="false"/>, without anything that the peer sent.</param>
    /// <returns>Whether the header is well formed. Without lines it is, and without extensions.</returns>
    public static bool TryParse(ReadOnlySpan<string> lines, out IReadOnlyList<Extension> extensions, [NotNullWhen(false)] out string? error)
    {
        var list = new List<Extension>();
        var reader = new Reader();
        foreach (string line in lines)
        {
            reader.ReadLine(line, list);
        }

        error = reader.Error;
        if (error is null && list.Count == 0 && !lines.IsEmpty)
        {
            // §9.1: 1#extension, at least one.
            error = "no extension in the header";
        }

        extensions = error is null ? list : [];
        return error is null;
    }

    // Reads from left to right and never goes back. After an error nothing more is read.
    private ref struct Reader
    {
        private ReadOnlySpan<char> _rest;
        private int _elementCount;

        public string? Error { get; private set; }

        public void ReadLine(string line, List<Extension> extensions)
        {
            _rest = line;
            while (Error is null)
            {
                // RFC 2616 §2.1: a list may have empty elements, which do not count.
                SkipWhiteSpace();
                if (_rest.IsEmpty)
                {
                    return;
                }

                if (!TrySkip(','))
                {
                    ReadExtension(extensions);
                }
            }
        }

        private void ReadExtension(List<Extension> extensions)
        {
            string name = ReadToken();
            List<ExtensionParameter>? parameters = null;
            while (TrySkip(';'))
            {
                (parameters ??= []).Add(ReadParameter());
            }

            if (!_rest.IsEmpty && _rest[0] != ',')
            {
                Fail("unexpected character in the header");
            }

            extensions.Add(new Extension(name, parameters ?? []));
        }

        private ExtensionParameter ReadParameter()
        {
            string name = ReadToken();
            string? value = !TrySkip('=') ? null : TrySkip('"', keepWhiteSpace: true) ? ReadQuoted() : ReadValue();
            return new ExtensionParameter(name, value);
        }

        private string ReadToken()
        {
            if (++_elementCount > MaxElements)
            {
                Fail("too many extensions or parameters");
            }

            return ReadValue();
        }

        private string ReadValue()
        {
            int length = _rest.IndexOfAnyExcept(HttpToken.Characters);
            length = length < 0 ? _rest.Length : length;
            if (length == 0)
            {
                Fail("name or value missing");
            }

            string token = _rest[..length].ToString();
            _rest = _rest[length..];
            SkipWhiteSpace();
            return token;
        }

        // §9.1: what is left when the quotes and escapes are gone must be a token. So a quote never is part of it, escaped or not.
        private string ReadQuoted()
        {
            int end = Math.Max(_rest.IndexOf('"'), 0);
            Span<char> value = new char[end];
            int length = 0;
            bool isEscaping = false;
            foreach (char character in _rest[..end])
            {
                isEscaping = character == '\\' && !isEscaping;
                if (!isEscaping)
                {
                    value[length++] = character;
                }
            }

            value = value[..length];
            if (isEscaping || !HttpToken.IsToken(value))
            {
                Fail("quoted value is not a token");
                return "";
            }

            _rest = _rest[(end + 1)..];
            SkipWhiteSpace();
            return value.ToString();
        }

        private bool TrySkip(char separator, bool keepWhiteSpace = false)
        {
            if (_rest.IsEmpty || _rest[0] != separator)
            {
                return false;
            }

            _rest = _rest[1..];
            if (!keepWhiteSpace)
            {
                SkipWhiteSpace();
            }

            return true;
        }

        private void SkipWhiteSpace() => _rest = _rest.TrimStart(HttpToken.WhiteSpace);

        private void Fail(string error)
        {
            Error ??= error;
            _rest = default;
        }
    }
}
