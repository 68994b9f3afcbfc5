namespace Shockwave.Load.Cells;

internal enum CellMode
{
    Echo,
    FanOut,
}
