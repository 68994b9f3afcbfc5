using System.Runtime.Intrinsics;

namespace Shockwave.Protocol.Tests;

public sealed class ProtocolKernelsTests
{
    [Theory]
    [InlineData(false, null, false)]
    [InlineData(false, "", false)]
    [InlineData(false, "0", false)]
    [InlineData(false, "false", false)]
    [InlineData(false, "1", true)]
    [InlineData(false, "TRUE", true)]
    [InlineData(true, null, true)]
    [InlineData(true, "0", true)]
    public void SwitchOrVariable_DisablesSimd(bool isSwitchedOff, string? variable, bool isDisabled) =>
        Assert.Equal(isDisabled, ProtocolKernels.IsDisabled(isSwitchedOff, variable));

    [Fact]
    public void KernelWithoutSimd_IsScalar() => Assert.Equal("Scalar", ProtocolKernels.WidestKernel(isSimdEnabled: false));

    [Fact]
    public void KernelWithSimd_IsTheWidestOfTheHardware() => Assert.Equal(
        Vector512.IsHardwareAccelerated ? "Vector512" : Vector256.IsHardwareAccelerated ? "Vector256" : "Vector128",
        ProtocolKernels.WidestKernel(isSimdEnabled: true));

    [Fact]
    public void KernelsInUse_AreThoseOfThisProcess()
    {
        Assert.Equal(ProtocolKernels.WidestKernel(ProtocolKernels.IsSimdEnabled), ProtocolKernels.Masking);
        Assert.Equal(ProtocolKernels.Masking, ProtocolKernels.Utf8);
    }
}
