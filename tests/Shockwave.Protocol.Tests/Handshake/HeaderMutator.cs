using System.Globalization;
using System.Text;

namespace Shockwave.Protocol.Tests;

/// <summary>Makes header values that are near the grammar: pieces of good ones, damaged. The seed makes a run repeatable.</summary>
internal sealed class HeaderMutator
{
    private const string Damage = "\0\t\r\n ,,,;=\"\\()<>@:/[]?{}aZ0.\u007F\u0080\u00E9\u212A\uD800\uFFFF";
    private readonly Random _random;

    internal HeaderMutator(ITestOutputHelper output)
    {
        string? wanted = Environment.GetEnvironmentVariable("SHOCKWAVE_SEED");
        Seed = wanted is null ? Random.Shared.Next() : int.Parse(wanted, CultureInfo.InvariantCulture);
        _random = new Random(Seed);
        output.WriteLine($"SHOCKWAVE_SEED={Seed}");
    }

    internal int Seed { get; }

    internal bool OneIn(int count) => _random.Next(count) == 0;

    internal string Pick(params ReadOnlySpan<string> choices) => choices[_random.Next(choices.Length)];

    /// <summary>Mostly one line, mostly one good value; else none, several lines, lists, or damage.</summary>
    internal HeaderValues Header(params ReadOnlySpan<string> good)
    {
        switch (_random.Next(12))
        {
            case 0:
                return default;
            case 1:
                var lines = new string?[_random.Next(4)];
                for (int i = 0; i < lines.Length; i++)
                {
                    lines[i] = OneIn(8) ? null : List(good);
                }

                return lines;
            case 2:
                return List(good);
            case 3:
                return Mutate(Pick(good));
            default:
                return Pick(good);
        }
    }

    internal string Mutate(string value)
    {
        var text = new StringBuilder(value);
        for (int i = _random.Next(4); i >= 0; i--)
        {
            int at = _random.Next(text.Length + 1);
            switch (_random.Next(5))
            {
                case 0:
                    text.Insert(at, Damage[_random.Next(Damage.Length)]);
                    break;
                case 1 when at < text.Length:
                    text.Remove(at, 1);
                    break;
                case 2 when at < text.Length:
                    text[at] = Damage[_random.Next(Damage.Length)];
                    break;
                case 3 when at < text.Length:
                    text[at] ^= (char)0x20;
                    break;
                default:
                    text.Append(value.AsSpan(0, _random.Next(value.Length + 1)));
                    break;
            }
        }

        return text.ToString();
    }

    private string List(ReadOnlySpan<string> good)
    {
        var elements = new string[_random.Next(5)];
        for (int i = 0; i < elements.Length; i++)
        {
            elements[i] = OneIn(6) ? Mutate(Pick(good)) : Pick(good);
        }

        return string.Join(Pick(",", ", ", " ,\t"), elements);
    }
}
