using Shockwave.Load.Cells;
using Shockwave.Load.Servers;

namespace Shockwave.Load;

/// <summary>What the command line says.</summary>
internal sealed record LoadSettings
{
    public required IReadOnlyList<Cell> Cells { get; init; }

    /// <summary>Gets the servers to compare, the baseline first.</summary>
    public required IReadOnlyList<Server> Servers { get; init; }

    public required int Rounds { get; init; }

    public required TimeSpan Warmup { get; init; }

    public required TimeSpan Duration { get; init; }

    public required string ClientProgram { get; init; }

    public required DirectoryInfo Results { get; init; }
}
