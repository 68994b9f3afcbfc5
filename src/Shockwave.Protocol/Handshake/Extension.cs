namespace Shockwave.Protocol;

/// <summary>One extension as offered or accepted (RFC 6455 §9.1).</summary>
/// <param name="Name">A token, as the peer sent it. Compared exactly.</param>
/// <param name="Parameters">The parameters in the order sent; names may repeat.</param>
public sealed record Extension(string Name, IReadOnlyList<ExtensionParameter> Parameters);
