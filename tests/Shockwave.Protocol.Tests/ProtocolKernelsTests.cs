using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Loader;
using System.Text;

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

    [Fact]
    public void AssemblyLoadedWithTheSwitchSet_UsesScalarKernelsWithTheSameResults()
    {
        byte[] masked = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("é日😀 and then plain text", 40)));

        // Ours has read the switch by now, so only the second copy of the assembly sees it.
        Masker.Mask(masked, 0x12345678u);
        AppContext.SetSwitch("Shockwave.DisableSimd", true);
        var context = new AssemblyLoadContext("scalar", isCollectible: true);
        try
        {
            Assembly copy = context.LoadFromAssemblyPath(typeof(ProtocolKernels).Assembly.Location);
            Type kernels = copy.GetType(typeof(ProtocolKernels).FullName!)!;
            Assert.Equal(false, kernels.GetProperty(nameof(ProtocolKernels.IsSimdEnabled))!.GetValue(null));
            Assert.Equal("Scalar", kernels.GetProperty(nameof(ProtocolKernels.Masking))!.GetValue(null));
            Assert.Equal("Scalar", kernels.GetProperty(nameof(ProtocolKernels.Utf8))!.GetValue(null));

            var mask = copy.GetType(typeof(Masker).FullName!)!
                .GetMethod(nameof(Masker.Mask), [typeof(Span<byte>), typeof(uint), typeof(int)])!.CreateDelegate<MaskInPlace>();
            mask(masked, 0x12345678u, 0);
            Assert.Equal([.. Enumerable.Range(0, 1000).Select(i => (byte)i)], masked);

            var isValid = copy.GetType(typeof(Utf8Validator).FullName!)!
                .GetMethod(nameof(Utf8Validator.IsValid))!.CreateDelegate<IsValid>();
            Assert.True(isValid(text));
            text[500] ^= 0x80;
            Assert.False(isValid(text));
        }
        finally
        {
            AppContext.SetSwitch("Shockwave.DisableSimd", false);
            context.Unload();
        }
    }

    private delegate void MaskInPlace(Span<byte> payload, uint maskingKey, int keyOffset);

    private delegate bool IsValid(ReadOnlySpan<byte> text);
}
