using System.Reflection;

namespace Shockwave.Architecture;

/// <summary>The repository, and the assemblies that are built from its src folder: one per folder, of the same name.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    public static IReadOnlyList<string> AssemblyNames { get; } =
        [.. Directory.GetDirectories(Path.Combine(Root, "src"))
            .Where(folder => Directory.GetFiles(folder, "*.csproj").Length > 0)
            .Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal)];

    public static TheoryData<string> Assemblies => [.. AssemblyNames];

    public static string PathOf(string assembly) => Path.Combine(AppContext.BaseDirectory, assembly + ".dll");

    public static Assembly Load(string assembly) => Assembly.Load(new AssemblyName(assembly));

    private static string FindRoot(string folder) =>
        File.Exists(Path.Combine(folder, "Shockwave.slnx"))
            ? folder
            : FindRoot(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("These tests run inside the repository."));
}
