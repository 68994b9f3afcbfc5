using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Shockwave.Micro;

/// <summary>One benchmark method with one set of its class's parameters, as the allocation gate runs it.</summary>
/// <remarks>
/// Knows [Benchmark], [Params], [ParamsAllValues], [ParamsSource], [GlobalSetup] and [GlobalCleanup]; methods without arguments.
/// It measures the calling thread only: a method that returns a task must complete before it returns.
/// </remarks>
internal sealed class BenchmarkCase
{
    private static readonly TimeSpan _roundTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);
    private readonly Type _type;
    private readonly MethodInfo _method;
    private readonly (BenchmarkParameter Parameter, object? Value)[] _parameters;

    private BenchmarkCase(Type type, MethodInfo method, (BenchmarkParameter Parameter, object? Value)[] parameters)
    {
        (_type, _method, _parameters) = (type, method, parameters);
        MethodName = $"{type.Name}.{method.Name}";
        IEnumerable<string> values = parameters.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Parameter.Name}={p.Value}"));
        Name = parameters.Length == 0 ? MethodName : $"{MethodName}({string.Join(", ", values)})";
    }

    public string MethodName { get; }

    public string Name { get; }

    public static IEnumerable<Type> FindClasses(Assembly assembly) =>
        assembly.GetTypes().Where(type => !type.IsAbstract && FindMethods(type).Any()).OrderBy(type => type.Name, StringComparer.Ordinal);

    public static IEnumerable<BenchmarkCase> Expand(Type type)
    {
        IEnumerable<(BenchmarkParameter, object?)[]> sets = [[]];
        foreach (BenchmarkParameter parameter in BenchmarkParameter.FindAll(type))
        {
            sets = sets.SelectMany(set => parameter.Values(type).Select(value => ((BenchmarkParameter, object?)[])[.. set, (parameter, value)]));
        }

        return FindMethods(type).SelectMany(_ => sets, (method, set) => new BenchmarkCase(type, method, set));
    }

    /// <summary>Runs ever longer rounds until one allocates no more than <paramref name="allowed"/> per operation, or patience ends.</summary>
    /// <returns>The figure of the last round: earlier ones include the caches and the JIT's first, unoptimised code.</returns>
    public double MeasureBytesPerOperation(long allowed)
    {
        object instance = Activator.CreateInstance(_type)!;
        foreach ((BenchmarkParameter parameter, object? value) in _parameters)
        {
            parameter.Property.SetValue(instance, value);
        }

        RunHooks<GlobalSetupAttribute>(instance, hook => hook.Targets);
        try
        {
            Action<int> repeat = Repeater.Create(_method, instance);
            int operationsPerCall = _method.GetCustomAttribute<BenchmarkAttribute>()!.OperationsPerInvoke;
            return Measure(repeat, operationsPerCall, allowed);
        }
        finally
        {
            RunHooks<GlobalCleanupAttribute>(instance, hook => hook.Targets);
        }
    }

    private static double Measure(Action<int> repeat, int operationsPerCall, long allowed)
    {
        var total = Stopwatch.StartNew();
        var round = new Stopwatch();
        int calls = 1;
        while (true)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            round.Restart();
            repeat(calls);
            round.Stop();
            double bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / calls / operationsPerCall;
            if (round.Elapsed < _roundTime)
            {
                calls *= 2;
            }
            else if (bytes <= allowed || total.Elapsed > _patience)
            {
                return bytes;
            }
        }
    }

    private static IEnumerable<MethodInfo> FindMethods(Type type) =>
        type.GetMethods().Where(method => method.IsDefined(typeof(BenchmarkAttribute)));

    private void RunHooks<TAttribute>(object instance, Func<TAttribute, string[]> targets)
        where TAttribute : Attribute
    {
        foreach (MethodInfo hook in _type.GetMethods())
        {
            if (hook.GetCustomAttribute<TAttribute>() is { } attribute
                && (targets(attribute) is not { Length: > 0 } names || names.Contains(_method.Name)))
            {
                Wait(hook.Invoke(instance, null));
            }
        }
    }

    private static void Wait(object? result)
    {
        if (result is ValueTask valueTask)
        {
            valueTask.AsTask().GetAwaiter().GetResult();
        }
        else if (result is Task task)
        {
            task.GetAwaiter().GetResult();
        }
    }
}
