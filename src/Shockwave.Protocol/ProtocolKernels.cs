using System.Runtime.Intrinsics;

namespace Shockwave.Protocol;

/// <summary>Which kernels this process masks and validates text with. Decided once; safe from any thread.</summary>
/// <remarks>
/// The AppContext switch <c>Shockwave.DisableSimd</c> or the environment variable <c>SHOCKWAVE_DISABLE_SIMD=1</c>, set before
/// the first use, selects the scalar kernels: to rule the vector code out, or to measure it.
/// </remarks>
public static class ProtocolKernels
{
    internal const string Scalar = "Scalar";

    private const string SwitchName = "Shockwave.DisableSimd";
    private const string VariableName = "SHOCKWAVE_DISABLE_SIMD";

    // Static readonly: once this class is initialised, optimised code sees constants and drops the branches not taken. No static
    // constructor, which would put a check of its having run before each use. In tier 0 and ahead-of-time code it is one load.
    private static readonly bool _isSimdEnabled = Vector128.IsHardwareAccelerated && !IsDisabled(
        AppContext.TryGetSwitch(SwitchName, out bool isDisabled) && isDisabled, Environment.GetEnvironmentVariable(VariableName));

    /// <summary>Gets whether vector instructions are used: the hardware has them and they are not switched off.</summary>
    public static bool IsSimdEnabled => _isSimdEnabled;

    /// <summary>Gets the widest kernel that masks payloads: <c>Vector512</c>, <c>Vector256</c>, <c>Vector128</c> or <c>Scalar</c>.</summary>
    public static string Masking => WidestKernel(IsSimdEnabled);

    /// <summary>Gets the widest kernel that validates text: <c>Vector512</c>, <c>Vector256</c>, <c>Vector128</c> or <c>Scalar</c>.</summary>
    public static string Utf8 => WidestKernel(IsSimdEnabled);

    internal static bool IsDisabled(bool isSwitchedOff, string? variable) =>
        isSwitchedOff || variable == "1" || string.Equals(variable, "true", StringComparison.OrdinalIgnoreCase);

    internal static string WidestKernel(bool isSimdEnabled) =>
        !isSimdEnabled ? Scalar
        : Vector512.IsHardwareAccelerated ? nameof(Vector512)
        : Vector256.IsHardwareAccelerated ? nameof(Vector256)
        : nameof(Vector128);
}
