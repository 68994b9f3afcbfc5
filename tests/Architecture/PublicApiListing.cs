using System.Reflection;
using System.Runtime.CompilerServices;

namespace Shockwave.Architecture;

/// <summary>The public and protected members of an assembly, one line each, sorted.</summary>
internal static class PublicApiListing
{
    private const BindingFlags Declared =
        BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

    public static string[] Of(Assembly assembly) =>
        [.. assembly.GetExportedTypes().SelectMany(DescribeWithMembers).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> DescribeWithMembers(Type type)
    {
        string name = type.Namespace + "." + Signature.Name(type);
        return type.IsEnum || Signature.IsDelegate(type)
            ? [DescribeType(type, name), .. EnumValues(type, name)]
            : [DescribeType(type, name), .. type.GetMembers(Declared).Where(IsVisible).Select(member => DescribeMember(member, name))];
    }

    private static IEnumerable<string> EnumValues(Type type, string name) =>
        type.IsEnum ? Enum.GetNames(type).Select(value => $"{name}.{value} = {Convert.ChangeType(Enum.Parse(type, value), type.GetEnumUnderlyingType(), null)}") : [];

    private static string DescribeType(Type type, string name)
    {
        if (type.IsEnum)
        {
            string flags = type.IsDefined(typeof(FlagsAttribute)) ? "[Flags] " : "";
            return $"{name} : {flags}enum {Signature.Name(type.GetEnumUnderlyingType())}";
        }

        if (Signature.IsDelegate(type))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            return $"{name} : delegate {Signature.Parameters(invoke)} -> {Signature.Return(invoke)}{Signature.Constraints(type.GetGenericArguments())}";
        }

        List<string> bases = [.. type.GetInterfaces().Where(contract => contract.IsVisible).Select(Signature.Name).Order(StringComparer.Ordinal)];
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
        {
            bases.Insert(0, Signature.Name(parent));
        }

        string of = bases.Count == 0 ? "" : " : " + string.Join(", ", bases);
        return $"{Obsolete(type)}{name} : {Kind(type)}{of}{Signature.Constraints(type.GetGenericArguments())}";
    }

    private static string Kind(Type type)
    {
        if (type.IsInterface)
        {
            return "interface";
        }

        if (type.IsValueType)
        {
            return (type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "") + (type.IsByRefLike ? "ref struct" : "struct");
        }

        return type.IsAbstract ? (type.IsSealed ? "static class" : "abstract class") : type.IsSealed ? "sealed class" : "class";
    }

    private static string DescribeMember(MemberInfo member, string type) => Obsolete(member) + member switch
    {
        ConstructorInfo constructor => $"{type}.{Access(constructor)}new{Signature.Parameters(constructor)}",
        MethodInfo method => $"{type}.{Access(method)}{Modifiers(method)}{Signature.Method(method)}",
        FieldInfo field => $"{type}.{Describe(field)}",
        PropertyInfo property => $"{type}.{Describe(property)}",
        EventInfo change => $"{type}.{Access(change.AddMethod!)}{Modifiers(change.AddMethod!)}event {change.Name} -> {Signature.Name(change.EventHandlerType!)}",
        _ => throw new NotSupportedException($"{member.MemberType} {member.Name}"),
    };

    private static string Describe(FieldInfo field)
    {
        string kind = field.IsLiteral ? "const " : (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "");
        string value = field.IsLiteral ? " = " + Signature.Literal(field.GetRawConstantValue(), field.FieldType) : "";
        return $"{(field.IsPublic ? "" : "protected ")}{kind}{field.Name} -> {Signature.Name(field.FieldType)}{value}";
    }

    private static string Describe(PropertyInfo property)
    {
        MethodInfo widest = property.GetAccessors(nonPublic: true).Where(IsVisible).OrderByDescending(accessor => accessor.IsPublic).First();
        IEnumerable<string> accessors = property.GetAccessors(nonPublic: true).Where(IsVisible)
            .Select(accessor => (accessor.IsPublic == widest.IsPublic ? "" : Access(accessor)) + AccessorName(accessor));
        string required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        string index = property.GetIndexParameters() is { Length: > 0 } parameters ? Signature.Parameters(parameters, '[', ']') : "";
        return $"{Access(widest)}{Modifiers(widest)}{required}{property.Name}{index} {{ {string.Join("; ", accessors)} }} -> {Signature.Name(property.PropertyType)}";
    }

    private static string AccessorName(MethodInfo accessor)
    {
        bool isInit = accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
        return isInit ? "init" : accessor.Name.StartsWith("get_", StringComparison.Ordinal) ? "get" : "set";
    }

    private static bool IsVisible(MemberInfo member) => !member.Name.Contains('<', StringComparison.Ordinal) && member switch
    {
        // Accessors are told with their property or event; operators have special names too, and are wanted.
        MethodInfo method => IsVisible((MethodBase)method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)),
        ConstructorInfo constructor => !constructor.IsStatic && IsVisible((MethodBase)constructor),
        FieldInfo field => field.IsPublic || (!IsClosed(field) && (field.IsFamily || field.IsFamilyOrAssembly)),
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(accessor => IsVisible((MethodBase)accessor)),
        EventInfo change => IsVisible((MethodBase)change.AddMethod!),
        _ => false,
    };

    private static bool IsVisible(MethodBase method) => method.IsPublic || (!IsClosed(method) && (method.IsFamily || method.IsFamilyOrAssembly));

    // Nobody can derive from a sealed type, so what is protected there is private.
    private static bool IsClosed(MemberInfo member) => member.DeclaringType!.IsSealed;

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodInfo method)
    {
        if (method.IsStatic)
        {
            return method.IsAbstract ? "static abstract " : "static ";
        }

        if (method.DeclaringType!.IsInterface)
        {
            return method.IsAbstract ? "" : "default ";
        }

        bool isOverride = method.GetBaseDefinition() != method;
        return (method.IsAbstract, method.IsVirtual, method.IsFinal, isOverride) switch
        {
            (true, _, _, true) => "abstract override ",
            (true, _, _, _) => "abstract ",
            (_, true, true, true) => "sealed override ",
            (_, true, _, true) => "override ",
            (_, true, false, _) => "virtual ",
            _ => "",
        };
    }

    private static string Obsolete(MemberInfo member) => member.IsDefined(typeof(ObsoleteAttribute)) ? "[Obsolete] " : "";
}
