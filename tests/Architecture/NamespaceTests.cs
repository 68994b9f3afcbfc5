namespace Shockwave.Architecture;

public sealed class NamespaceTests
{
    [Theory]
    [MemberData(nameof(SourceTree.Assemblies), MemberType = typeof(SourceTree))]
    public void PublicType_LivesInANamespaceOfOurs(string assembly) =>
        Assert.DoesNotContain(SourceTree.Load(assembly).GetExportedTypes(), type =>
            type.Namespace != "Shockwave" && type.Namespace?.StartsWith("Shockwave.", StringComparison.Ordinal) != true);
}
