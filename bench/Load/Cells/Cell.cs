using System.Globalization;

namespace Shockwave.Load.Cells;

/// <summary>One load: messages of a size on a number of connections, so many under way on each; for fan-out, so many published at once.</summary>
internal sealed record Cell(CellMode Mode, int Bytes, int Connections, int InFlight)
{
    /// <summary>Gets whether one of the two cores should be busy all the time: a few connections leave both waiting for each other.</summary>
    public bool ShouldSaturate => Connections >= 8;

    public static Cell Parse(string text, CellMode mode, int inFlight)
    {
        if (text.Split('x') is [string bytes, string connections]
            && int.TryParse(bytes, CultureInfo.InvariantCulture, out int size) && size >= 0
            && int.TryParse(connections, CultureInfo.InvariantCulture, out int count) && count > 0)
        {
            return new Cell(mode, size, count, inFlight);
        }

        throw new ArgumentException($"'{text}' is no cell; it is written BYTESxCONNECTIONS, such as 1024x100.");
    }

    public override string ToString() => Mode == CellMode.Echo
        ? $"echo, {Bytes} B, {Connections} connections, {InFlight} in flight"
        : $"fan-out, {Bytes} B, {Connections} subscribers, {InFlight} at once";
}
