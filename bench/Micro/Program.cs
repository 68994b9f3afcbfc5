using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Shockwave.Micro;

if (args is ["--gate"])
{
    return AllocationGate.Run(typeof(Program).Assembly, Path.Combine(AppContext.BaseDirectory, "allocations.txt"));
}

if (args is ["--kernels", string nativeMask])
{
    return new KernelTable(nativeMask).Run();
}

// In this process, and about two seconds for a case: ratios are what is judged, and a generated project would take a minute to build.
Job job = Job.Default
    .WithToolchain(InProcessEmitToolchain.Instance)
    .WithWarmupCount(4)
    .WithIterationCount(12)
    .WithIterationTime(TimeInterval.FromMilliseconds(100));
ManualConfig config = ManualConfig.Create(DefaultConfig.Instance)
    .AddJob(job)
    .AddDiagnoser(MemoryDiagnoser.Default);
return BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config).Any() ? 0 : 1;
