using System.Globalization;

namespace Shockwave;

/// <summary>What is known of one option: its name in configuration, its range in words, how it is set from text and when its value is wrong.</summary>
/// <typeparam name="TOptions">The options that it belongs to.</typeparam>
/// <param name="Name">The name below the section, such as <c>Compression:Level</c>.</param>
/// <param name="Range">What it must be, such as <c>1 to 9</c>.</param>
/// <param name="TrySet">Sets it from text; false when the text is not such a value.</param>
/// <param name="FindBadValue">The value as text when it is out of range; null when it is well.</param>
internal sealed record OptionRule<TOptions>(
    string Name, string Range, Func<TOptions, string, bool> TrySet, Func<TOptions, string?> FindBadValue)
{
    /// <summary>Says what is wrong with a value.</summary>
    public string Describe(string value) => $"{Name} is '{value}'; it must be {Range}.";
}

/// <summary>Makes rules, one way for each kind of value.</summary>
/// <typeparam name="TOptions">The options that the rules belong to.</typeparam>
internal static class OptionRules<TOptions>
{
    public static OptionRule<TOptions> Number(
        string name, string unit, Func<TOptions, int?> get, Action<TOptions, int> set, int least, Func<TOptions, int> most, string mostInWords)
    {
        return new(
            name,
            $"{least} to {mostInWords}{unit}",
            (options, text) =>
            {
                bool isNumber = int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int value);
                if (isNumber)
                {
                    set(options, value);
                }

                return isNumber;
            },
            options => get(options) is { } value && (value < least || value > most(options)) ? value.ToString(CultureInfo.InvariantCulture) : null);
    }

    public static OptionRule<TOptions> Bytes(string name, Func<TOptions, int?> get, Action<TOptions, int> set, int least = 1) =>
        Number(name, " (bytes)", get, set, least, _ => Array.MaxLength, Array.MaxLength.ToString(CultureInfo.InvariantCulture));

    public static OptionRule<TOptions> Count(string name, Func<TOptions, int?> get, Action<TOptions, int> set, int most, int least = 1) =>
        Number(name, "", get, set, least, _ => most, most.ToString(CultureInfo.InvariantCulture));

    /// <summary>A time of at most a day, or of at most <paramref name="most"/>.</summary>
    public static OptionRule<TOptions> Time(
        string name, TimeSpan least, Func<TOptions, TimeSpan> get, Action<TOptions, TimeSpan> set, TimeSpan? most = null) =>
        Time(name, least, most ?? TimeSpan.FromDays(1), isOptional: false, options => get(options), (options, value) => set(options, value!.Value));

    /// <summary>A time that an empty text turns off.</summary>
    public static OptionRule<TOptions> OptionalTime(string name, TimeSpan least, Func<TOptions, TimeSpan?> get, Action<TOptions, TimeSpan?> set) =>
        Time(name, least, TimeSpan.FromDays(1), isOptional: true, get, set);

    public static OptionRule<TOptions> Switch(string name, Action<TOptions, bool> set)
    {
        return new(
            name,
            "true or false",
            (options, text) =>
            {
                bool isSwitch = bool.TryParse(text, out bool value);
                if (isSwitch)
                {
                    set(options, value);
                }

                return isSwitch;
            },
            _ => null);
    }

    public static OptionRule<TOptions> Choice<T>(string name, Func<TOptions, T> get, Action<TOptions, T> set)
        where T : struct, Enum
    {
        return new(
            name,
            string.Join(" or ", Enum.GetNames<T>()),
            (options, text) =>
            {
                bool isChoice = Enum.TryParse(text, ignoreCase: true, out T value) && !char.IsAsciiDigit(text.Trim()[0]);
                if (isChoice)
                {
                    set(options, value);
                }

                return isChoice;
            },
            options => Enum.IsDefined(get(options)) ? null : get(options).ToString());
    }

    /// <summary>A list, set by one element at a time or by several with commas between.</summary>
    public static OptionRule<TOptions> List(string name, string range, Func<TOptions, IList<string>> get, Func<TOptions, string?> findBadValue)
    {
        return new(
            name,
            range,
            (options, text) =>
            {
                foreach (string element in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                {
                    get(options).Add(element);
                }

                return true;
            },
            findBadValue);
    }

    private static OptionRule<TOptions> Time(
        string name, TimeSpan least, TimeSpan most, bool isOptional, Func<TOptions, TimeSpan?> get, Action<TOptions, TimeSpan?> set)
    {
        return new(
            name,
            $"{Show(least)} to {Show(most)} ([days.]hours:minutes:seconds){(isOptional ? ", or empty for none" : "")}",
            (options, text) =>
            {
                bool isNone = isOptional && text.Length == 0;
                bool isTime = TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value);
                if (isNone || isTime)
                {
                    set(options, isNone ? null : value);
                }

                return isNone || isTime;
            },
            options => get(options) is { } value && (value < least || value > most) ? Show(value) : null);
    }

    // As one would write it: 00:00:00.1, not 00:00:00.1000000.
    private static string Show(TimeSpan time)
    {
        string text = time.ToString("c", CultureInfo.InvariantCulture);
        return time.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }
}
