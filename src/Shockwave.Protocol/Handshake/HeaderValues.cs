using System.Text;

namespace Shockwave.Protocol;

/// <summary>The values of one header field, one for each line it stood on, as an HTTP parser gives them: decoded, without white space around.</summary>
/// <remarks>
/// A string converts to one line and <see langword="null"/> to a header that is absent. A list is not copied:
/// it must not change while the value is in use. An element that is <see langword="null"/> counts as an empty line.
/// </remarks>
public readonly struct HeaderValues
{
    private readonly string? _single;
    private readonly IReadOnlyList<string?>? _several;

    /// <summary>Creates the values of a header that stood on one line.</summary>
    /// <param name="value">The line's value; <see langword="null"/> if the header is absent.</param>
    public HeaderValues(string? value) => _single = value;

    /// <summary>Creates the values of a header that stood on any number of lines.</summary>
    /// <param name="values">One element for each line, in order; none or <see langword="null"/> if the header is absent.</param>
    public HeaderValues(IReadOnlyList<string?>? values) => _several = values;

    /// <summary>Gets how many lines there are: 0 if the header is absent.</summary>
    public int Count => _several is null ? (_single is null ? 0 : 1) : _several.Count;

    /// <summary>Gets the value of a line.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is outside that range.</exception>
    public string this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return (_several is null ? _single : _several[index]) ?? "";
        }
    }

    /// <summary>Takes a string as a header that stood on one line.</summary>
    /// <param name="value">The line's value; <see langword="null"/> if the header is absent.</param>
    public static implicit operator HeaderValues(string? value) => new(value);

    /// <summary>Takes an array as a header that stood on as many lines.</summary>
    /// <param name="values">One element for each line, in order; none or <see langword="null"/> if the header is absent.</param>
    public static implicit operator HeaderValues(string?[]? values) => new(values);

    /// <summary>Whether the comma-separated lists on the lines hold <paramref name="token"/>, in any case.</summary>
    /// <remarks>Empty elements are passed over, as RFC 9110 §5.6.1 asks of a recipient. Linear in the length of the values.</remarks>
    internal bool ContainsToken(ReadOnlySpan<char> token)
    {
        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<char> line = this[i];
            foreach (var element in line.Split(','))
            {
                // Not OrdinalIgnoreCase: a name in a header never equals one with a letter outside ASCII.
                if (Ascii.EqualsIgnoreCase(line[element].Trim(HttpToken.WhiteSpace), token))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
