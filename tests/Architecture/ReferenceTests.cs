using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Shockwave.Architecture;

/// <summary>The direction of dependencies. A new assembly needs a row here, and a reason to stand where it stands.</summary>
public sealed partial class ReferenceTests
{
    // What each assembly may reference beside the base class library; `.*` ends a prefix.
    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["Shockwave.Protocol"] = [],
        ["Shockwave.Engine"] = [],
        ["Shockwave"] = ["Shockwave.Protocol", "Shockwave.Engine"],
        ["Shockwave.Client"] = ["Shockwave", "Shockwave.Protocol", "Shockwave.Engine"],
        ["Shockwave.AspNetCore"] = ["Shockwave", "Shockwave.Protocol", "Shockwave.Engine", "Microsoft.AspNetCore.*", "Microsoft.Extensions.*", "Microsoft.Net.Http.Headers"],
    };

    // Protocol is bytes in, events and bytes out: time and randomness are arguments, waiting is somebody else's.
    private static readonly string[] _forbiddenInProtocol =
    [
        "System.Net.Sockets.*",
        "System.Threading.Tasks.*",
        "System.Threading.Thread",
        "System.Threading.ThreadPool",
        "System.Threading.Timer",
        "System.Threading.PeriodicTimer",
        "System.Threading.ITimer",
        "System.TimeProvider",
        "System.Diagnostics.Stopwatch",
        "System.Random",
        "System.Security.Cryptography.RandomNumberGenerator",
    ];

    // Inflating needs a stream to stand on; a file, a pipe or a reader never.
    private static readonly string[] _allowedInputOutput =
        ["System.IO.Stream", "System.IO.MemoryStream", "System.IO.SeekOrigin", "System.IO.InvalidDataException", "System.IO.EndOfStreamException"];

    [Theory]
    [MemberData(nameof(SourceTree.Assemblies), MemberType = typeof(SourceTree))]
    public void Assembly_ReferencesOnlyWhatItsRowAllows(string assembly)
    {
        Assert.True(_allowed.TryGetValue(assembly, out string[]? allowed), $"{assembly} has no row: say what it may reference.");
        Assert.DoesNotContain(ReferencesOf(assembly), reference => !IsBaseClassLibrary(reference) && !Matches(reference, allowed));
    }

    [Fact]
    public void Protocol_TouchesNoSocketTaskTimerOrClock() =>
        Assert.DoesNotContain(TypesUsedBy("Shockwave.Protocol"), type => Matches(type, _forbiddenInProtocol));

    [Fact]
    public void Protocol_UsesNoInputOutputButDeflateStreams() =>
        Assert.DoesNotContain(TypesUsedBy("Shockwave.Protocol"), type =>
            type.StartsWith("System.IO.", StringComparison.Ordinal)
            && !type.StartsWith("System.IO.Compression.", StringComparison.Ordinal)
            && !_allowedInputOutput.Contains(type));

    // Metadata does not say which method uses a type, so this one reads the source.
    [Fact]
    public void Protocol_NamesStreamsOnlyInDeflate()
    {
        string folder = Path.Combine(SourceTree.Root, "src", "Shockwave.Protocol");
        string deflate = Path.Combine(folder, "Deflate") + Path.DirectorySeparatorChar;
        IEnumerable<string> lines =
            from file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            where !file.StartsWith(deflate, StringComparison.Ordinal)
            from line in File.ReadLines(file)
            where StreamName().IsMatch(Comment().Replace(line, ""))
            select $"{Path.GetFileName(file)}: {line.Trim()}";
        Assert.Empty(lines);
    }

    [Fact]
    public void CommandLineTool_UsesPublicApiOnly()
    {
        IEnumerable<string> friends =
            from assembly in SourceTree.AssemblyNames
            from attribute in SourceTree.Load(assembly).GetCustomAttributesData()
            where attribute.AttributeType == typeof(InternalsVisibleToAttribute)
            let friend = (string)attribute.ConstructorArguments[0].Value!
            where friend.EndsWith("Cli", StringComparison.OrdinalIgnoreCase) || friend == "shockwave"
            select $"{assembly} shows its internals to {friend}";
        Assert.Empty(friends);
    }

    [GeneratedRegex(@"\b(System\.IO|(Memory|Deflate|ZLib|GZip|Network|File|Buffered)?Stream)\b")]
    private static partial Regex StreamName();

    [GeneratedRegex(@"//.*|""[^""]*""")]
    private static partial Regex Comment();

    // ASP.NET Core has a folder of its own, so Microsoft.Extensions.* is not taken for the base class library.
    private static bool IsBaseClassLibrary(string assembly) =>
        File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, assembly + ".dll"));

    private static bool Matches(string name, string[] patterns) =>
        patterns.Any(pattern => pattern.EndsWith(".*", StringComparison.Ordinal)
            ? name.StartsWith(pattern[..^1], StringComparison.Ordinal)
            : name == pattern);

    private static List<string> ReferencesOf(string assembly) =>
        Read(assembly, reader => reader.AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name)));

    private static List<string> TypesUsedBy(string assembly) =>
        Read(assembly, reader => reader.TypeReferences.Select(reader.GetTypeReference)
            .Select(type => $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}"));

    private static List<string> Read(string assembly, Func<MetadataReader, IEnumerable<string>> read)
    {
        using var file = new PEReader(File.OpenRead(SourceTree.PathOf(assembly)));
        return [.. read(file.GetMetadataReader())];
    }
}
