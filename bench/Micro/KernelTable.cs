using System.Diagnostics;
using System.Globalization;

namespace Shockwave.Micro;

/// <summary>
/// The project's speed targets, each a ratio of two operations timed in turn: what slows the machine for a while slows both.
/// A look at one machine at one time, in a minute; BenchmarkDotNet gives the figures behind it.
/// </summary>
/// <param name="nativeMask">The program compiled from <c>Native/mask.c</c>.</param>
internal sealed class KernelTable(string nativeMask)
{
    private const int Rounds = 201;
    private const double RoundNanoseconds = 50_000;
    private static readonly TimeSpan _warmup = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<(string Name, int Size), double> _native = [];
    private int _met;
    private int _missed;

    public int Run()
    {
        Mask();
        Validate();
        Frame();
        Console.WriteLine($"{_met} met, {_missed} missed");
        return _missed == 0 ? 0 : 1;
    }

    private void Mask()
    {
        RunNative();
        foreach (int size in (int[])[64, 256, 1024, 4096])
        {
            var masker = new MaskerBenchmarks { Size = size };
            masker.Setup();
            if (size <= 256)
            {
                CompareWithNative("in-place", masker.MaskInPlace, size, 1.3);
                CompareWithNative("copy", masker.MaskCopy, size, 1.3);
                continue;
            }

            AtMost(1.0, $"mask in place {size} B / Span.CopyTo", masker.MaskInPlace, masker.CopyTo);
            AtMost(1.25, $"mask while copying {size} B / Span.CopyTo", masker.MaskCopy, masker.CopyTo);
            if (size == 1024)
            {
                AtLeast(2, $"scalar / mask in place {size} B", masker.MaskInPlace, masker.MaskScalar);
            }
            else
            {
                // Above 2 KiB Span.CopyTo leaves managed code, so that it is not the best copy that there is.
                CompareWithNative("memcpy", masker.MaskInPlace, size, 1.0);
            }
        }
    }

    private void Validate()
    {
        foreach (int size in (int[])[1024, 16384])
        {
            foreach (string text in (string[])["ascii", "2-3-byte", "4-byte", "mostly-ascii"])
            {
                var validator = new Utf8ValidatorBenchmarks { Size = size, Text = text };
                validator.Setup();
                AtMost(1.0, $"UTF-8 {text} {size} B / Utf8.IsValid", () => validator.Validator(), () => validator.BaseLibrary());
            }
        }
    }

    private void Frame()
    {
        foreach (int size in (int[])[64, 256, 4096])
        {
            var reader = new FrameReaderBenchmarks { Size = size };
            reader.Setup();
            AtLeast(2, $"System.Net.WebSockets / read {size} B", () => reader.ReadFrame(), () => reader.SystemNetWebSockets());
            AtLeast(2, $"System.Net.WebSockets / read into {size} B", () => reader.ReadFrameInto(), () => reader.SystemNetWebSockets());
            foreach (bool isMasked in (bool[])[false, true])
            {
                var writer = new FrameWriterBenchmarks { Size = size, IsMasked = isMasked };
                writer.Setup();
                AtLeast(2, $"System.Net.WebSockets / write {size} B{(isMasked ? " masked" : "")}", writer.WriteFrame, writer.SystemNetWebSockets);
                writer.Cleanup();
            }

            var roundTrip = new FrameRoundTripBenchmarks { Size = size };
            roundTrip.Setup();
            AtLeast(2, $"System.Net.WebSockets / round trip {size} B", () => roundTrip.RoundTrip(), () => roundTrip.SystemNetWebSockets());
            reader.Cleanup();
            roundTrip.Cleanup();
        }
    }

    private void AtMost(double target, string name, Action subject, Action baseline)
    {
        (double ratio, _) = Compare(subject, baseline);
        Report(name, ratio, $"<= {Number(target)}", ratio <= target);
    }

    private void AtLeast(double target, string name, Action subject, Action baseline)
    {
        (double ratio, _) = Compare(subject, baseline);
        Report(name, 1 / ratio, $">= {Number(target)}", 1 / ratio >= target);
    }

    // Another process cannot be timed in turn with this one. So minima are compared: both programs had an undisturbed moment.
    private void CompareWithNative(string native, Action subject, int size, double target)
    {
        (_, double minimum) = Compare(subject, subject);
        RunNative();
        double ratio = minimum / _native[(native, size)];
        string name = native == "memcpy" ? $"mask in place {size} B / C memcpy" : $"mask {native} {size} B / C loop";
        Report(name, ratio, $"<= {Number(target)}", ratio <= target);
    }

    private void RunNative()
    {
        using Process process = Process.Start(new ProcessStartInfo(nativeMask) { RedirectStandardOutput = true })!;
        while (process.StandardOutput.ReadLine()?.Split(' ') is [string name, string size, string nanoseconds])
        {
            var key = (name, int.Parse(size, CultureInfo.InvariantCulture));
            double measured = double.Parse(nanoseconds, CultureInfo.InvariantCulture);
            _native[key] = Math.Min(_native.GetValueOrDefault(key, double.MaxValue), measured);
        }
    }

    private void Report(string name, double ratio, string target, bool isMet)
    {
        Console.WriteLine($"{(isMet ? "met   " : "missed")} {Number(ratio),6}  {target,-7} {name}");
        _ = isMet ? _met++ : _missed++;
    }

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    // The median of the rounds' ratios, and the subject's fastest call in nanoseconds.
    private static (double Ratio, double Minimum) Compare(Action subject, Action baseline)
    {
        int subjectCalls = Warm(subject);
        int baselineCalls = Warm(baseline);
        double[] ratios = new double[Rounds];
        double minimum = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            double first = Time(subject, subjectCalls);
            double second = Time(baseline, baselineCalls);
            minimum = Math.Min(minimum, first);
            ratios[round] = first / second;
        }

        Array.Sort(ratios);
        return (ratios[Rounds / 2], minimum);
    }

    // Until the JIT has done its best. Returns how many calls make a round.
    private static int Warm(Action call)
    {
        var watch = Stopwatch.StartNew();
        double fastest = double.MaxValue;
        while (watch.Elapsed < _warmup)
        {
            fastest = Math.Min(fastest, Time(call, 100));
        }

        return (int)(RoundNanoseconds / fastest) + 1;
    }

    private static double Time(Action call, int count)
    {
        long start = TimeProvider.System.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            call();
        }

        return TimeProvider.System.GetElapsedTime(start).TotalNanoseconds / count;
    }
}
