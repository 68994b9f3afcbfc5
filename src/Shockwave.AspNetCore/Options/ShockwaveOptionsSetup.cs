using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Shockwave.AspNetCore;

/// <summary>Binds the options from configuration and checks them: every mistake is named at once, with the option's name and its range.</summary>
internal sealed class ShockwaveOptionsSetup(IConfiguration configuration) : IConfigureOptions<ShockwaveOptions>, IValidateOptions<ShockwaveOptions>
{
    // What could not be set cannot be seen in the options any more.
    private readonly List<string> _bindingErrors = [];

    public void Configure(ShockwaveOptions options)
    {
        _bindingErrors.Clear();
        foreach (var (path, value) in configuration.GetSection(ShockwaveOptions.SectionName).AsEnumerable(makePathsRelative: true))
        {
            // A key with children has no value of its own, and neither has a null in JSON: the default stays.
            if (value is null)
            {
                continue;
            }

            string name = WithoutIndex(path);
            var rule = ShockwaveOptionRules.All.FirstOrDefault(rule => string.Equals(rule.Name, name, StringComparison.OrdinalIgnoreCase));
            if (rule is null)
            {
                _bindingErrors.Add(
                    $"{ShockwaveOptions.SectionName}:{path} is not an option. The options are: {string.Join(", ", ShockwaveOptionRules.All.Select(known => known.Name))}.");
            }
            else if (!rule.TrySet(options, value))
            {
                _bindingErrors.Add($"{ShockwaveOptions.SectionName}:{rule.Describe(value)}");
            }
        }
    }

    public ValidateOptionsResult Validate(string? name, ShockwaveOptions options)
    {
        string[] errors = [.. _bindingErrors, .. ShockwaveOptionRules.FindErrors(options)];
        return errors.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    // AllowedOrigins:0 is an element of AllowedOrigins.
    private static string WithoutIndex(string path)
    {
        int colon = path.LastIndexOf(':');
        return colon > 0 && int.TryParse(path.AsSpan(colon + 1), out _) ? path[..colon] : path;
    }
}
