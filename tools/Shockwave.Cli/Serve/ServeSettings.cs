namespace Shockwave.Cli.Serve;

/// <summary>What the command line of <c>shockwave serve</c> says.</summary>
internal sealed record ServeSettings
{
    public required int Port { get; init; }

    public required string Host { get; init; }

    public FileInfo? Certificate { get; init; }

    public FileInfo? Key { get; init; }

    public bool MakeDevelopmentCertificate { get; init; }

    public EngineKind? Engine { get; init; }

    public int? Loops { get; init; }

    public bool UsesTls => Certificate is not null || MakeDevelopmentCertificate;

    /// <summary>Gets what the command does not know itself: configuration for the host, such as <c>--Shockwave:MaxMessageBytes=1048576</c>.</summary>
    public required string[] Configuration { get; init; }
}
