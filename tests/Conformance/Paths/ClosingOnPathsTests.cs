using System.Text;
using Shockwave.Testing;
using static Shockwave.Testing.RawFrame;

namespace Shockwave.Conformance;

/// <summary>The closing handshake (RFC 6455 §7) as a peer on the network sees it, over each path.</summary>
public sealed class ClosingOnPathsTests(ClosingServers servers) : IClassFixture<ClosingServers>
{
    private const int SentOnBytes = 1024 * 1024;

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    private static readonly (string Name, byte[] Bytes, int Code)[] _violations =
    [
        ("reserved opcode", Masked(0x83), 1002),
        ("not masked", Unmasked(0x81, "hello"), 1002),
        ("text that is not UTF-8", Masked(0x81, [0xFF]), 1007),
        ("frame that is too big", MaskedHeader(0x82, 1L << 40), 1009),
        ("bad close code", Masked(0x88, RawFrame.ClosePayload(1006)), 1002),
    ];

    public static TheoryData<ServerPath, int> Violations =>
        [.. from path in Enum.GetValues<ServerPath>() from index in Enumerable.Range(0, _violations.Length) select (path, index)];

    public static TheoryData<ServerPath, bool> Elsewhere => [.. from path in Enum.GetValues<ServerPath>() from flag in new[] { false, true } select (path, flag)];

    // The buffers on the way hold less than what is sent on, so a server that closes at once would reset the connection.
    [Theory]
    [MemberData(nameof(Violations))]
    public async Task ViolatorThatGoesOnSending_GetsTheCodeAndThenTheEnd(ServerPath path, int violation)
    {
        var server = await servers.GetAsync(path);
        using var client = await server.OpenAsync();
        await client.SendAsync((byte[])[.. Masked(0x81, "before"), .. _violations[violation].Bytes, .. new byte[SentOnBytes]]).WaitAsync(_limit);
        await client.AssertFrameAsync(0x81, "before").WaitAsync(_limit);
        await client.AssertCloseAsync(_violations[violation].Code).WaitAsync(_limit);
        if (!server.IsTls || await client.TryEndSendingAsync())
        {
            await client.AssertEndAsync().WaitAsync(_limit);
        }

        server.AssertPath();
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task PeerThatClosesFirst_GetsItsCodeBackAndThenTheEnd(ServerPath path)
    {
        var server = await servers.GetAsync(path);
        await Task.WhenAll(((int[])[1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999]).Select(async code =>
        {
            string reason = new('r', code % 124);
            using var client = await server.OpenAsync("/close");
            string name = await NameAsync(client);
            await client.SendAsync((byte[])[.. Masked(0x81, "before"), .. Masked(0x88, RawFrame.ClosePayload(code, Encoding.UTF8.GetBytes(reason)))]);
            await client.AssertFrameAsync(0x81, "before");
            await client.AssertFrameAsync(0x88, RawFrame.ClosePayload(code));
            await client.AssertEndAsync();
            var info = await servers.EndOfAsync(name);
            Assert.Equal((true, true, code, code, reason), (info.IsClean, info.IsPeerFirst, (int)info.CodeReceived!, (int)info.CodeSent!, info.Reason));
        })).WaitAsync(_limit);
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task CloseFrameWithoutACode_IsAnsweredWithoutOne(ServerPath path)
    {
        using var client = await (await servers.GetAsync(path)).OpenAsync("/close");
        string name = await NameAsync(client);
        await client.SendAsync(Masked(0x88));
        await client.AssertFrameAsync(0x88, []).WaitAsync(_limit);
        await client.AssertEndAsync().WaitAsync(_limit);
        Assert.Equal(CloseCode.NoStatusReceived, (await servers.EndOfAsync(name)).Code);
    }

    // What follows a Close frame is ignored: also the illegal, also another Close frame.
    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task WhatFollowsThePeersCloseFrame_IsIgnored(ServerPath path)
    {
        using var client = await (await servers.GetAsync(path)).OpenAsync("/close");
        string name = await NameAsync(client);
        await client.SendAsync((byte[])[
            .. Masked(0x88, RawFrame.ClosePayload(1000)), .. Masked(0x81, "late"), .. Masked(0x89), .. Masked(0x88, RawFrame.ClosePayload(1001)), .. Masked(0x83)]);
        await client.AssertFrameAsync(0x88, RawFrame.ClosePayload(1000)).WaitAsync(_limit);
        await client.AssertEndAsync().WaitAsync(_limit);
        Assert.True((await servers.EndOfAsync(name)).IsClean);
    }

    [Theory]
    [MemberData(nameof(Elsewhere))]
    public async Task ServerThatClosesFirst_ThrowsAwayWhatComesAndEndsWithTheAnswer(ServerPath path, bool isElsewhere)
    {
        var server = await servers.GetAsync(path);
        using var client = await server.OpenAsync("/close");
        string name = await NameAsync(client);
        await client.SendAsync(Masked(0x81, isElsewhere ? "close elsewhere" : "close"));
        await client.AssertFrameAsync(0x88, RawFrame.ClosePayload(4000, "enough"u8)).WaitAsync(_limit);
        await client.SendAsync((byte[])[.. Masked(0x81, "late"), .. Masked(0x89, "late"), .. Masked(0x82, new byte[SentOnBytes / 64]), .. Masked(0x88, RawFrame.ClosePayload(4000))]);
        await client.AssertEndAsync().WaitAsync(_limit);
        var info = await servers.EndOfAsync(name);
        Assert.Equal((true, false, "enough"), (info.IsClean, info.IsPeerFirst, info.Reason));
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task BothCloseAtOnce_TheFirstCodeCounts(ServerPath path)
    {
        using var client = await (await servers.GetAsync(path)).OpenAsync("/close");
        string name = await NameAsync(client);
        await client.SendAsync((byte[])[.. Masked(0x81, "close"), .. Masked(0x88, RawFrame.ClosePayload(1001))]);
        await client.AssertFrameAsync(0x88, RawFrame.ClosePayload(4000, "enough"u8)).WaitAsync(_limit);
        await client.AssertEndAsync().WaitAsync(_limit);
        var info = await servers.EndOfAsync(name);
        Assert.Equal((true, 4000, 1001), (info.IsClean, (int)info.Code, (int)info.CodeReceived!));
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task HandlerThatThrows_ClosesItsConnectionWith1011AndNoOther(ServerPath path)
    {
        var server = await servers.GetAsync(path);
        using var victim = await server.OpenAsync("/close");
        using var other = await server.OpenAsync("/close");
        string name = await NameAsync(victim);
        await victim.SendAsync((byte[])[.. Masked(0x81, "throw"), .. Masked(0x81, "late")]);
        await victim.AssertCloseAsync(1011).WaitAsync(_limit);
        await victim.SendAsync(Masked(0x88, RawFrame.ClosePayload(1011)));
        await victim.AssertEndAsync().WaitAsync(_limit);
        Assert.IsType<InvalidOperationException>((await servers.EndOfAsync(name)).Cause);
        await other.AssertEchoAsync("still here").WaitAsync(_limit);
    }

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task AbortedConnection_EndsWithoutACloseFrame(ServerPath path)
    {
        using var client = await (await servers.GetAsync(path)).OpenAsync("/close");
        string name = await NameAsync(client);
        await client.SendAsync((byte[])[.. Masked(0x81, "abort"), .. Masked(0x81, "late")]);
        Assert.Equal("", await client.ReadToEndAsync().WaitAsync(_limit));
        Assert.Equal(CloseCode.AbnormalClosure, (await servers.EndOfAsync(name)).Code);
    }

    [Theory]
    [MemberData(nameof(Elsewhere))]
    public async Task PeerThatLeavesWithoutACloseFrame_IsReportedAs1006(ServerPath path, bool isReset)
    {
        using var client = await (await servers.GetAsync(path)).OpenAsync("/close");
        string name = await NameAsync(client);
        await client.SendAsync(Masked(0x01, "half"));
        if (isReset || !await client.TryEndSendingAsync())
        {
            client.Reset();
        }

        var info = await servers.EndOfAsync(name).WaitAsync(_limit);
        Assert.Equal((CloseCode.AbnormalClosure, false), (info.Code, info.IsClean));
        Assert.NotNull(info.Cause);
    }

    // Its end is reported under this name.
    private static async Task<string> NameAsync(WireClient client)
    {
        string name = $"name:{Guid.NewGuid()}";
        await client.AssertEchoAsync(name).WaitAsync(_limit);
        return name;
    }
}
