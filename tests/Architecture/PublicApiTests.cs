namespace Shockwave.Architecture;

/// <summary>What users can compile against is written down, so a change to it shows in a review. `eng/api-update` rewrites the listings.</summary>
public sealed class PublicApiTests
{
    private static readonly string _folder = Path.Combine(SourceTree.Root, "tests", "Architecture", "PublicApi");

    [Theory]
    [MemberData(nameof(SourceTree.Assemblies), MemberType = typeof(SourceTree))]
    public void PublicApi_IsTheOneListed(string assembly)
    {
        string path = Path.Combine(_folder, assembly + ".txt");
        string[] actual = PublicApiListing.Of(SourceTree.Load(assembly));
        if (Environment.GetEnvironmentVariable("SHOCKWAVE_UPDATE_API") == "1")
        {
            File.WriteAllText(path, string.Concat(actual.Select(line => line + "\n")));
        }

        string[] listed = File.Exists(path) ? File.ReadAllLines(path) : [];
        string[] changes = [.. listed.Except(actual).Select(line => "- " + line), .. actual.Except(listed).Select(line => "+ " + line)];
        Assert.True(changes.Length == 0 && File.Exists(path), $"""
            The public API of {assembly} differs from its listing. If that is intended, run eng/api-update and note it in CHANGELOG.md.
            {string.Join('\n', changes)}
            """);
    }

    [Fact]
    public void Listing_ExistsOnlyForAnAssemblyThatExists() =>
        Assert.Empty(Directory.GetFiles(_folder, "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)!).Except(SourceTree.AssemblyNames));
}
