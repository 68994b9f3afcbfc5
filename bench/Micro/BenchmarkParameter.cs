using System.Collections;
using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Shockwave.Micro;

/// <summary>A property of a benchmark class that takes several values.</summary>
internal sealed record BenchmarkParameter(PropertyInfo Property)
{
    public string Name => Property.Name;

    public static IEnumerable<BenchmarkParameter> FindAll(Type type) =>
        type.GetProperties()
            .Where(property => property.IsDefined(typeof(ParamsAttribute)) || property.IsDefined(typeof(ParamsAllValuesAttribute))
                || property.IsDefined(typeof(ParamsSourceAttribute)))
            .OrderBy(property => property.Name, StringComparer.Ordinal)
            .Select(property => new BenchmarkParameter(property));

    public IEnumerable<object?> Values(Type owner)
    {
        if (Property.GetCustomAttribute<ParamsAttribute>() is { } listed)
        {
            return listed.Values.Select(Convert);
        }

        if (Property.GetCustomAttribute<ParamsSourceAttribute>() is { } source)
        {
            object? instance = Activator.CreateInstance(owner);
            object? values = owner.GetMethod(source.Name)?.Invoke(instance, null) ?? owner.GetProperty(source.Name)?.GetValue(instance);
            return ((IEnumerable)values!).Cast<object?>();
        }

        return Property.PropertyType == typeof(bool) ? [false, true] : Enum.GetValues(Property.PropertyType).Cast<object?>();
    }

    // An attribute holds 125 as an int even where the property is a long.
    private object? Convert(object? value) =>
        value is IConvertible and not Enum && !Property.PropertyType.IsInstanceOfType(value)
            ? System.Convert.ChangeType(value, Property.PropertyType, CultureInfo.InvariantCulture)
            : value;
}
