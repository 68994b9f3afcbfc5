using System.Collections;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Shockwave.Micro;

/// <summary>A parameter of a benchmark class: BenchmarkDotNet takes properties and fields alike.</summary>
internal sealed record PropertyOrField(MemberInfo Member)
{
    public string Name => Member.Name;

    private Type Type => Member is PropertyInfo property ? property.PropertyType : ((FieldInfo)Member).FieldType;

    public static IEnumerable<PropertyOrField> FindParameters(Type type) =>
        type.GetMembers()
            .Where(member => member.IsDefined(typeof(ParamsAttribute)) || member.IsDefined(typeof(ParamsAllValuesAttribute))
                || member.IsDefined(typeof(ParamsSourceAttribute)))
            .OrderBy(member => member.Name, StringComparer.Ordinal)
            .Select(member => new PropertyOrField(member));

    public IEnumerable<object?> Values(Type owner)
    {
        if (Member.GetCustomAttribute<ParamsAttribute>() is { } listed)
        {
            return listed.Values.Select(Convert);
        }

        if (Member.GetCustomAttribute<ParamsSourceAttribute>() is { } source)
        {
            object? instance = Activator.CreateInstance(owner);
            object? values = owner.GetMethod(source.Name)?.Invoke(instance, null) ?? owner.GetProperty(source.Name)?.GetValue(instance);
            return ((IEnumerable)values!).Cast<object?>();
        }

        return Type == typeof(bool) ? [false, true] : Enum.GetValues(Type).Cast<object?>();
    }

    public void Set(object instance, object? value)
    {
        if (Member is PropertyInfo property)
        {
            property.SetValue(instance, value);
        }
        else
        {
            ((FieldInfo)Member).SetValue(instance, value);
        }
    }

    // An attribute holds 125 as an int even where the parameter is a long.
    private object? Convert(object? value) =>
        value is IConvertible and not Enum && !Type.IsInstanceOfType(value)
            ? System.Convert.ChangeType(value, Type, System.Globalization.CultureInfo.InvariantCulture)
            : value;
}
