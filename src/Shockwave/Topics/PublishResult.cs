namespace Shockwave;

/// <summary>What became of a message that was to be published.</summary>
public enum PublishResult : byte
{
    /// <summary>Every owner delivers it to its subscribers.</summary>
    Accepted,

    /// <summary>An owner has too much waiting: nobody gets it. Publish again later.</summary>
    Refused,
}
