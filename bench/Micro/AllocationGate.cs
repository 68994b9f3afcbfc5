using System.Globalization;
using System.Reflection;

namespace Shockwave.Micro;

/// <summary>Fails when a benchmark allocates more than the checked-in figure. Times only warn; allocations are exact, so they can fail a build.</summary>
internal static class AllocationGate
{
    public static int Run(Assembly assembly, string listing)
    {
        Dictionary<string, long> allowed = Read(listing);
        var unused = allowed.Keys.ToHashSet();
        int passed = 0;
        int failed = 0;
        foreach (Type type in BenchmarkCase.FindClasses(assembly))
        {
            if (!allowed.Keys.Any(key => key.StartsWith(type.Name + ".", StringComparison.Ordinal)))
            {
                Report($"{type.Name} is not listed in bench/Micro/allocations.txt", isPass: false);
                continue;
            }

            foreach (BenchmarkCase benchmark in BenchmarkCase.Expand(type))
            {
                string key = allowed.ContainsKey(benchmark.Name) ? benchmark.Name : benchmark.MethodName;
                if (allowed.TryGetValue(key, out long bytes))
                {
                    unused.Remove(key);
                    (string line, bool isPass) = Judge(benchmark, bytes);
                    Report(line, isPass);
                }
            }
        }

        // A line that measures nothing guards nothing.
        foreach (string key in unused)
        {
            Report($"{key} is listed, but there is no such benchmark", isPass: false);
        }

        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 && passed > 0 ? 0 : 1;

        void Report(string line, bool isPass)
        {
            Console.WriteLine($"{(isPass ? "ok    " : "FAILED")} {line}");
            _ = isPass ? passed++ : failed++;
        }
    }

    private static (string Line, bool IsPass) Judge(BenchmarkCase benchmark, long allowed)
    {
        try
        {
            double bytes = benchmark.MeasureBytesPerOperation(allowed);
            string measured = bytes.ToString("0.##", CultureInfo.InvariantCulture);
            return bytes <= allowed
                ? ($"{benchmark.Name} {measured} B/op", true)
                : ($"{benchmark.Name} allocates {measured} B/op, allowed are {allowed}", false);
        }
        catch (Exception exception)
        {
            // One benchmark that throws must not hide the figures of the others.
            Exception cause = (exception as TargetInvocationException)?.InnerException ?? exception;
            return ($"{benchmark.Name} threw {cause.GetType().Name}: {cause.Message}", false);
        }
    }

    private static Dictionary<string, long> Read(string listing)
    {
        var allowed = new Dictionary<string, long>();
        foreach (string line in File.ReadLines(listing).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            int space = line.LastIndexOf(' ');
            allowed.Add(line[..space].TrimEnd(), long.Parse(line.AsSpan(space), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture));
        }

        return allowed;
    }
}
