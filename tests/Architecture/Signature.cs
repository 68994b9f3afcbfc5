using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Shockwave.Architecture;

/// <summary>Types, parameters and constraints as C# writes them, without namespaces and nullability.</summary>
internal static class Signature
{
    private static readonly Dictionary<Type, string> _keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(char)] = "char",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
        [typeof(nint)] = "nint",
        [typeof(nuint)] = "nuint",
    };

    public static bool IsDelegate(Type type) => type.IsSubclassOf(typeof(Delegate));

    public static string Name(Type type)
    {
        if (_keywords.TryGetValue(type, out string? keyword))
        {
            return keyword;
        }

        if (type.HasElementType)
        {
            string suffix = type.IsPointer ? "*" : type.IsByRef ? "&" : $"[{new string(',', type.GetArrayRank() - 1)}]";
            return Name(type.GetElementType()!) + suffix;
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Name(value) + "?";
        }

        if (type.IsFunctionPointer)
        {
            return $"delegate*<{string.Join(", ", type.GetFunctionPointerParameterTypes().Append(type.GetFunctionPointerReturnType()).Select(Name))}>";
        }

        return type.IsGenericParameter ? type.Name : NestedName(type, type.GetGenericArguments());
    }

    public static string Method(MethodInfo method)
    {
        Type[] generic = method.IsGenericMethod ? method.GetGenericArguments() : [];
        string of = generic.Length == 0 ? "" : $"<{string.Join(", ", generic.Select(Name))}>";
        return $"{method.Name}{of}{Parameters(method)} -> {Return(method)}{Constraints(generic)}";
    }

    public static string Parameters(MethodBase method)
    {
        string list = Parameters(method.GetParameters(), '(', ')');
        return method.IsDefined(typeof(ExtensionAttribute)) ? "(this " + list[1..] : list;
    }

    public static string Parameters(ParameterInfo[] parameters, char open, char close) =>
        open + string.Join(", ", parameters.Select(Parameter)) + close;

    public static string Return(MethodInfo method)
    {
        if (!method.ReturnType.IsByRef)
        {
            return Name(method.ReturnType);
        }

        string kind = method.ReturnParameter.IsDefined(typeof(IsReadOnlyAttribute)) ? "ref readonly " : "ref ";
        return kind + Name(method.ReturnType.GetElementType()!);
    }

    public static string Constraints(Type[] parameters) => string.Concat(
        parameters.Where(type => type.IsGenericParameter)
            .Select(type => (type.Name, List: string.Join(", ", Constraints(type))))
            .Where(constraint => constraint.List.Length > 0)
            .Select(constraint => $" where {constraint.Name} : {constraint.List}"));

    public static string Literal(object? value, Type type) => value switch
    {
        null => type.IsValueType && Nullable.GetUnderlyingType(type) is null ? "default" : "null",
        string text => $"\"{text}\"",
        char character => $"'{character}'",
        bool truth => truth ? "true" : "false",
        _ when type.IsEnum => $"{Name(type)}.{Enum.ToObject(type, value)}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static IEnumerable<string> Constraints(Type type)
    {
        GenericParameterAttributes attributes = type.GenericParameterAttributes;
        bool isValue = attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            yield return "class";
        }

        if (isValue)
        {
            bool isUnmanaged = type.GetCustomAttributesData().Any(data => data.AttributeType.Name == "IsUnmanagedAttribute");
            yield return isUnmanaged ? "unmanaged" : "struct";
        }

        foreach (string constraint in type.GetGenericParameterConstraints().Where(t => t != typeof(ValueType)).Select(Name).Order(StringComparer.Ordinal))
        {
            yield return constraint;
        }

        if (!isValue && attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint))
        {
            yield return "new()";
        }

        if (attributes.HasFlag(GenericParameterAttributes.AllowByRefLike))
        {
            yield return "allows ref struct";
        }
    }

    // Reflection gives a nested type the parameters of its outer types too, in front.
    private static string NestedName(Type type, Type[] generic)
    {
        Type[] own = generic;
        string outer = "";
        if (type.DeclaringType is { } declaring)
        {
            int count = declaring.GetGenericArguments().Length;
            outer = NestedName(declaring, generic[..count]) + ".";
            own = generic[count..];
        }

        string name = type.Name.Split('`')[0];
        return outer + (own.Length == 0 ? name : $"{name}<{string.Join(", ", own.Select(Name))}>");
    }

    private static string Parameter(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        string kind = parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) ? "params " : "";
        kind += parameter.IsDefined(typeof(ScopedRefAttribute)) ? "scoped " : "";
        if (type.IsByRef)
        {
            bool isReadOnly = parameter.IsDefined(typeof(RequiresLocationAttribute));
            kind += parameter.IsOut ? "out " : isReadOnly ? "ref readonly " : parameter.IsIn ? "in " : "ref ";
            type = type.GetElementType()!;
        }

        string value = parameter.HasDefaultValue ? " = " + Literal(parameter.RawDefaultValue, type) : "";
        return $"{kind}{Name(type)} {parameter.Name}{value}";
    }
}
