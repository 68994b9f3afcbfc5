namespace Shockwave.Protocol;

/// <summary>
/// The DEFLATE implementation that this process compresses and decompresses with. Safe from any thread; what it creates is not.
/// </summary>
/// <remarks>
/// The runtime's own zlib is used through exports that .NET does not promise to keep, hence only after a self-test. Without them, or when
/// the AppContext switch <c>Shockwave.DisableNativeZlib</c> or the environment variable <c>SHOCKWAVE_DISABLE_NATIVE_ZLIB=1</c> is set,
/// the fallback is used: slower, and it compresses with a window of 15 bits only.
/// </remarks>
public abstract class DeflateProvider
{
    internal const string DisableSwitch = "Shockwave.DisableNativeZlib";
    internal const string DisableVariable = "SHOCKWAVE_DISABLE_NATIVE_ZLIB";
    internal const int MaxWindowBits = 15;

    private static readonly Lazy<DeflateProvider> _current = new(static () => Choose(DisabledBy(), static () => new NativeZlib()));

    private protected DeflateProvider(string description) => Description = description;

    /// <summary>Gets the provider that this process uses. Chosen at first use and never changed.</summary>
    /// <remarks>The first use takes some tens of milliseconds, most of it compilation: a server reads it once before it listens.</remarks>
    public static DeflateProvider Current => _current.Value;

    /// <summary>Gets which implementation this is and, for the fallback, why: one line for a log. Contains nothing that a peer sent.</summary>
    public string Description { get; }

    /// <summary>Gets the smallest window it can compress with, as a power of two: 9, or 15 in the fallback.</summary>
    /// <remarks>
    /// An offer that asks for less is declined (RFC 7692 §7.1.2.1). The RFC's smallest value is 8, which raw DEFLATE in zlib does not have.
    /// Decompression has no such limit: a larger window than the peer's always works.
    /// </remarks>
    public abstract int MinWindowBits { get; }

    /// <summary>Creates a decompressor.</summary>
    /// <param name="windowBits">The window agreed for the peer, 8 to 15; 8 is given 9.</param>
    /// <returns>An inflater that the caller disposes.</returns>
    internal abstract MessageInflater CreateInflater(int windowBits = MaxWindowBits);

    /// <summary>Creates a compressor.</summary>
    /// <param name="level">1, the fastest, to 9, the smallest.</param>
    /// <param name="windowBits"><see cref="MinWindowBits"/> to 15.</param>
    /// <param name="hasContextTakeover">Whether a message may refer to the ones before it.</param>
    /// <returns>A deflater that the caller disposes.</returns>
    internal abstract MessageDeflater CreateDeflater(int level, int windowBits, bool hasContextTakeover);

    internal static DeflateProvider Choose(string? disabledBy, Func<DeflateProvider> create)
    {
        if (disabledBy is not null)
        {
            return new ManagedZlib($"native zlib is disabled by {disabledBy}");
        }

        try
        {
            DeflateProvider provider = create();
            string? failure = DeflateSelfTest.Run(provider);
            return failure is null ? provider : new ManagedZlib($"native zlib failed its self-test: {failure}");
        }
        catch (Exception exception) when (exception is TypeLoadException or BadImageFormatException)
        {
            // No such library, or not with these exports: both are kinds of TypeLoadException.
            return new ManagedZlib($"native zlib cannot be loaded: {exception.Message}");
        }
    }

    internal static string? DisabledBy() =>
        AppContext.TryGetSwitch(DisableSwitch, out bool isDisabled) && isDisabled ? DisableSwitch
        : Environment.GetEnvironmentVariable(DisableVariable) == "1" ? DisableVariable
        : null;
}
