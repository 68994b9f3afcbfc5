namespace Shockwave.Conformance;

/// <summary>How compressed data ends.</summary>
internal enum CompressedEnd
{
    /// <summary>Another message could follow.</summary>
    Open,

    /// <summary>By a block with BFINAL set, or in the middle of one.</summary>
    Final,

    /// <summary>It is not DEFLATE.</summary>
    Corrupt,
}
