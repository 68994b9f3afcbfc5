using System.Runtime.InteropServices;
using Shockwave.Testing;

namespace Shockwave.Interop.Serving;

/// <summary>How `shockwave serve` starts, refuses to start, and ends.</summary>
public sealed class LifetimeTests(NodeClient client, Servers servers) : IClassFixture<NodeClient>
{
    [Theory]
    [InlineData(PosixSignal.SIGTERM)]
    [InlineData(PosixSignal.SIGINT)]
    public async Task Signal_ClosesConnectionsWith1012_AndEndsWithCode0(PosixSignal signal)
    {
        await using var server = await ServeProcess.StartAsync();
        await client.Peer.BeginAsync("wait_for_close", new { url = server.Socket("echo") });
        await client.Peer.NoteAsync("open");
        int exitCode = await server.StopAsync(signal);
        Assert.Equal("1012 server stops", await client.Peer.EndAsync());
        Assert.True(exitCode == 0, $"Exit code {exitCode}: {server.Process.Transcript}");
    }

    // Longer than the two seconds that a command line library may give a program that is asked to end.
    [Fact]
    public async Task ClientThatIgnoresTheClose_IsGivenCloseTimeout_AndTheExitCodeIsStill0()
    {
        await using var server = await ServeProcess.StartAsync("--Shockwave:CloseTimeout=00:00:04");
        await client.Peer.BeginAsync("ignore_close", new { url = server.Socket("echo") });
        await client.Peer.NoteAsync("open");
        int exitCode = await server.StopAsync();
        Assert.Equal("1006", await client.Peer.EndAsync());
        Assert.True(exitCode == 0, $"Exit code {exitCode}: {server.Process.Transcript}");
        Assert.Contains("Stopped.", server.Process.Transcript);
    }

    [Fact]
    public async Task PortInUse_IsNamed()
    {
        int port = (await servers.Default).Page.Port;
        var (exitCode, output) = await ServeProcess.RunAsync("serve", "--port", $"{port}");
        Assert.Equal(1, exitCode);
        AssertTellsWithoutStackTrace($"Port {port} is in use", output);
    }

    [Theory]
    [InlineData("--Shockwave:MaxMesageBytes=1", "Shockwave:MaxMesageBytes is not an option", "MaxMessageBytes")]
    [InlineData("--Shockwave:MaxMessageBytes=lots", "Shockwave:MaxMessageBytes is 'lots'", "1 to 2147483591")]
    [InlineData("--Shockwave:MaxMessageBytes=0", "Shockwave:MaxMessageBytes is '0'", "1 to 2147483591")]
    [InlineData("--Shockwave:PingInterval=soon", "Shockwave:PingInterval is 'soon'", "00:00:01 to 1.00:00:00")]
    [InlineData("--Shockwave:AllowedOrigins:0=example.com", "Shockwave:AllowedOrigins is 'example.com'", "https://example.com")]
    [InlineData("--Shockwave:Compression:Level=12", "Shockwave:Compression:Level is '12'", "1 to 9")]
    [InlineData("--prot=1", "'--prot=1' is not understood", "--help")]
    [InlineData("--host=nowhere", "--host is 'nowhere'", "localhost, an IP address, or *")]
    [InlineData("--cert=/nowhere.pem", "/nowhere.pem does not exist", "")]
    public async Task MistakeOnTheCommandLine_IsNamedWithWhatWouldBeRight(string argument, string mistake, string advice)
    {
        var (exitCode, output) = await ServeProcess.RunAsync("serve", "--port", "0", argument);
        Assert.Equal(1, exitCode);
        AssertTellsWithoutStackTrace(mistake, output);
        Assert.Contains(advice, output);
    }

    [Fact]
    public async Task Help_SaysHowToBegin_AndHowToSetAnOption()
    {
        Assert.Contains("shockwave serve", (await ServeProcess.RunAsync("--help")).Output);
        var (exitCode, help) = await ServeProcess.RunAsync("serve", "--help");
        Assert.Equal(0, exitCode);
        Assert.Contains("--Shockwave:MaxMessageBytes=1048576", help);
    }

    [Fact]
    public async Task ServerOpenToTheNetwork_SaysSo()
    {
        await using var server = await ServeProcess.StartAsync("--host", "0.0.0.0", "--dev-cert");
        Assert.Contains("over the network may read and write", server.Process.Transcript);
        Assert.Contains("a browser warns", server.Process.Transcript);
    }

    private static void AssertTellsWithoutStackTrace(string message, string output)
    {
        Assert.Contains(message, output);
        Assert.DoesNotContain("   at ", output);
    }
}
