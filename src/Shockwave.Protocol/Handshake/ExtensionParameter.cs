namespace Shockwave.Protocol;

/// <summary>One parameter of an extension.</summary>
/// <param name="Name">A token, as the peer sent it. Compared exactly.</param>
/// <param name="Value">The value without quotes and escapes, a token; <see langword="null"/> for a parameter without one.</param>
public readonly record struct ExtensionParameter(string Name, string? Value);
