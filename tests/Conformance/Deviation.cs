namespace Shockwave.Conformance;

/// <summary>A way in which the WebSocket of .NET reads a stream otherwise than we do, on purpose.</summary>
/// <param name="Name">What it does.</param>
/// <param name="Explains">Whether this, and nothing else, is the difference.</param>
/// <param name="Example">A stream that shows it.</param>
internal sealed record Deviation(string Name, Func<Comparison, bool> Explains, GeneratedStream Example);
