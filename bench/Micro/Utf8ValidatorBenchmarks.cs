using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using BenchmarkDotNet.Attributes;
using Shockwave.Protocol;

namespace Shockwave.Micro;

/// <summary>Validating a whole text message, beside the base library's validator, which cannot be fed in chunks.</summary>
[MemoryDiagnoser]
public class Utf8ValidatorBenchmarks
{
    private byte[] _text = [];

    [Params(64, 1024, 16384)]
    public int Size { get; set; }

    [Params("ascii", "2-3-byte", "4-byte", "mostly-ascii")]
    public string Text { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        byte[] unit = Encoding.UTF8.GetBytes(Text switch
        {
            "ascii" => "The quick brown fox. ",
            "2-3-byte" => "é日本ü",
            "4-byte" => "😀",
            _ => "A line of plain text in which now and then — as in any letter — a sign stands that has no place in ASCII, but not often. ",
        });
        _text = new byte[Size];
        _text.AsSpan().Fill((byte)'.');
        for (int position = 0; position + unit.Length <= Size; position += unit.Length)
        {
            unit.CopyTo(_text, position);
        }

        Check(isValid: true);
        byte kept = _text[Size / 2];
        _text[Size / 2] = 0xFF;
        Check(isValid: false);
        _text[Size / 2] = kept;
    }

    [Benchmark(Baseline = true)]
    public bool BaseLibrary() => Utf8.IsValid(_text);

    [Benchmark]
    public bool Validator() => Utf8Validator.IsValid(_text);

    [Benchmark]
    public bool Scalar() =>
        Utf8Automaton.RunLong(Utf8Automaton.Accept, ref MemoryMarshal.GetArrayDataReference(_text), (uint)_text.Length) == Utf8Automaton.Accept;

    private void Check(bool isValid)
    {
        if (BaseLibrary() != isValid || Validator() != isValid || Scalar() != isValid)
        {
            throw new InvalidOperationException("The verdict is wrong.");
        }
    }
}
