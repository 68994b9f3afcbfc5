using System.Reflection;

namespace Shockwave.Architecture;

/// <summary>An event id is how an operator finds an event again, so two events never share one.</summary>
public sealed class LogEventTests
{
    private const BindingFlags AllMethods =
        BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

    [Fact]
    public void LogEventIds_AreGivenAndUnique()
    {
        var wrong = SourceTree.AssemblyNames
            .SelectMany(assembly => SourceTree.Load(assembly).GetTypes())
            .SelectMany(type => type.GetMethods(AllMethods))
            .Select(method => (Name: $"{method.DeclaringType!.Name}.{method.Name}", Id: EventId(method)))
            .Where(log => log.Id is not null)
            .GroupBy(log => log.Id)
            .Where(group => group.Key < 0 || group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(log => log.Name))}");
        Assert.Empty(wrong);
    }

    // By name, so that this project needs no logging package; -1 when the attribute leaves the id to the generator.
    private static int? EventId(MethodInfo method)
    {
        CustomAttributeData? attribute = method.GetCustomAttributesData()
            .FirstOrDefault(data => data.AttributeType.FullName == "Microsoft.Extensions.Logging.LoggerMessageAttribute");
        if (attribute is null)
        {
            return null;
        }

        object? named = attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == "EventId").TypedValue.Value;
        bool isPositional = attribute.Constructor.GetParameters() is [{ Name: "eventId" }, ..];
        return (int)(named ?? (isPositional ? attribute.ConstructorArguments[0].Value : -1)!);
    }
}
