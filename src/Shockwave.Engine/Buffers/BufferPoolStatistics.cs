namespace Shockwave;

/// <summary>What a <see cref="BufferPool"/> has done and has, at about one instant.</summary>
public readonly record struct BufferPoolStatistics
{
    /// <summary>Gets how many arrays were allocated because none was kept. One that grows in steady state is a leak, or load that grows.</summary>
    public required long AllocatedBuffers { get; init; }

    /// <summary>Gets how many arrays were allocated that are longer than <see cref="BufferPool.MaxBufferBytes"/>, and so never kept.</summary>
    public required long OversizedBuffers { get; init; }

    /// <summary>Gets how many arrays were returned when as many were kept as may be.</summary>
    public required long DroppedBuffers { get; init; }

    /// <summary>Gets how many arrays are kept, without the few that each thread and each loop has put by.</summary>
    public required int KeptBuffers { get; init; }

    /// <summary>Gets how many bytes they have.</summary>
    public required long KeptBytes { get; init; }

    /// <summary>Gets how many arrays are lent; <see langword="null"/> without diagnostics.</summary>
    public required int? LentBuffers { get; init; }
}
