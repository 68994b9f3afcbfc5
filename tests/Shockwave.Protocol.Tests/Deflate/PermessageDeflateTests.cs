namespace Shockwave.Protocol.Tests;

public sealed class PermessageDeflateTests
{
    private const string Plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    private static readonly PermessageDeflateParameters _plain = new(true, true, 15, 15);

    [Theory]
    [InlineData("permessage-deflate", Plain)]
    [InlineData("permessage-deflate; client_max_window_bits", Plain)]
    [InlineData("permessage-deflate; client_max_window_bits=8", Plain)]
    [InlineData("permessage-deflate; client_max_window_bits=\"10\"", Plain)]
    [InlineData("permessage-deflate; client_max_window_bits=\"1\\0\"", Plain)]
    [InlineData("permessage-deflate; client_max_window_bits=15", Plain)]
    [InlineData("permessage-deflate; server_no_context_takeover; client_no_context_takeover", Plain)]
    [InlineData("permessage-deflate; server_max_window_bits=9", Plain + "; server_max_window_bits=9")]
    [InlineData("permessage-deflate; server_max_window_bits=15", Plain + "; server_max_window_bits=15")]
    [InlineData("permessage-deflate ; server_max_window_bits = \"12\" ; client_max_window_bits", Plain + "; server_max_window_bits=12")]
    public void Offer_IsAcceptedWithItsAnswer(string offer, string expected)
    {
        Assert.True(Server().TryAccept(Parse(offer), out _, out string? response));
        Assert.Equal(expected, response);
    }

    [Theory]
    [InlineData("permessage-bzip2")]
    [InlineData("Permessage-Deflate")]
    [InlineData("permessage-deflate; unknown")]
    [InlineData("permessage-deflate; SERVER_NO_CONTEXT_TAKEOVER")]
    [InlineData("permessage-deflate; server_no_context_takeover; server_no_context_takeover")]
    [InlineData("permessage-deflate; client_no_context_takeover; client_no_context_takeover")]
    [InlineData("permessage-deflate; server_no_context_takeover=1")]
    [InlineData("permessage-deflate; client_no_context_takeover=true")]
    [InlineData("permessage-deflate; server_max_window_bits")]
    [InlineData("permessage-deflate; server_max_window_bits=7")]
    [InlineData("permessage-deflate; server_max_window_bits=8")]
    [InlineData("permessage-deflate; server_max_window_bits=16")]
    [InlineData("permessage-deflate; server_max_window_bits=09")]
    [InlineData("permessage-deflate; server_max_window_bits=+9")]
    [InlineData("permessage-deflate; server_max_window_bits=10.0")]
    [InlineData("permessage-deflate; server_max_window_bits=999999999999")]
    [InlineData("permessage-deflate; server_max_window_bits=10; server_max_window_bits=10")]
    [InlineData("permessage-deflate; client_max_window_bits; client_max_window_bits=10")]
    [InlineData("permessage-deflate; client_max_window_bits=0")]
    [InlineData("permessage-deflate; client_max_window_bits=7")]
    [InlineData("permessage-deflate; client_max_window_bits=16")]
    [InlineData("permessage-deflate; client_max_window_bits=\"08\"")]
    public void Offer_IsDeclined_AndTheNextOneTried(string offer)
    {
        Assert.False(Server().TryAccept(Parse(offer), out _, out string? response));
        Assert.Null(response);
        Assert.True(Server().TryAccept(Parse(offer + ", permessage-deflate"), out var agreed, out response));
        Assert.Equal(Plain, response);
        Assert.Equal(_plain, agreed);
        Assert.True(Server().TryAccept(Parse(offer, "permessage-deflate"), out _, out _));
    }

    [Fact]
    public void Offers_AreTakenInTheClientsOrder()
    {
        var offers = Parse("x-other, permessage-deflate; server_max_window_bits=10", "permessage-deflate");
        Assert.True(Server().TryAccept(offers, out var agreed, out string? response));
        Assert.Equal(_plain with { ServerMaxWindowBits = 10 }, agreed);
        Assert.Equal(Plain + "; server_max_window_bits=10", response);
        Assert.False(Server().TryAccept([], out _, out _));
    }

    [Fact]
    public void ContextTakeover_IsKeptOnlyWhereBothWantIt()
    {
        var options = new PermessageDeflateOptions { AllowServerContextTakeover = true, AllowClientContextTakeover = true };
        AssertAccepted(options, "permessage-deflate", new(false, false, 15, 15), "permessage-deflate");
        AssertAccepted(
            options, "permessage-deflate; server_no_context_takeover", new(true, false, 15, 15), "permessage-deflate; server_no_context_takeover");
        AssertAccepted(
            options, "permessage-deflate; client_no_context_takeover", new(false, true, 15, 15), "permessage-deflate; client_no_context_takeover");
        options.AllowServerContextTakeover = false;
        AssertAccepted(options, "permessage-deflate", new(true, false, 15, 15), "permessage-deflate; server_no_context_takeover");
    }

    [Fact]
    public void WindowLimits_AreAppliedWithinWhatTheOfferAllows()
    {
        var options = new PermessageDeflateOptions
        {
            AllowServerContextTakeover = true,
            AllowClientContextTakeover = true,
            ServerMaxWindowBits = 11,
            ClientMaxWindowBits = 10,
        };
        AssertAccepted(
            options, "permessage-deflate; client_max_window_bits", new(false, false, 11, 10), "permessage-deflate; client_max_window_bits=10");
        AssertAccepted(
            options, "permessage-deflate; client_max_window_bits=12", new(false, false, 11, 10), "permessage-deflate; client_max_window_bits=10");
        AssertAccepted(options, "permessage-deflate; client_max_window_bits=10", new(false, false, 11, 10), "permessage-deflate");
        AssertAccepted(options, "permessage-deflate; client_max_window_bits=8", new(false, false, 11, 8), "permessage-deflate");
        AssertAccepted(
            options,
            "permessage-deflate; server_max_window_bits=13; client_max_window_bits=9",
            new(false, false, 11, 9),
            "permessage-deflate; server_max_window_bits=11");

        // A client that cannot be told a window is told to keep none.
        AssertAccepted(options, "permessage-deflate", new(false, true, 11, 15), "permessage-deflate; client_no_context_takeover");
    }

    [Fact]
    public void Fallback_DeclinesSmallerServerWindowsAndOffersNoSmallerClientWindow()
    {
        var fallback = new PermessageDeflate(new() { ServerMaxWindowBits = 9 }, new ManagedZlib("test"));
        Assert.False(fallback.TryAccept(Parse("permessage-deflate; server_max_window_bits=14"), out _, out _));
        Assert.True(fallback.TryAccept(
            Parse("permessage-deflate; server_max_window_bits=14, permessage-deflate; server_max_window_bits=15"), out var agreed, out _));
        Assert.Equal(_plain, agreed);
        Assert.True(fallback.TryAccept(Parse("permessage-deflate; client_max_window_bits=9"), out agreed, out _));
        Assert.Equal(_plain with { ClientMaxWindowBits = 9 }, agreed);
        Assert.Equal(Plain + "; server_max_window_bits=9", fallback.Offer);
        AssertFails(fallback, Plain + "; server_max_window_bits=9; client_max_window_bits=15", "client_max_window_bits was not offered");
    }

    [Fact]
    public void ClientOffer_SaysWhatTheOptionsSay()
    {
        Assert.Equal(Plain + "; client_max_window_bits", Client(new()).Offer);
        Assert.Equal(Plain + "; server_max_window_bits=10; client_max_window_bits=12", Client(new() { ServerMaxWindowBits = 10, ClientMaxWindowBits = 12 }).Offer);
        Assert.Equal(
            "permessage-deflate; client_max_window_bits",
            Client(new() { AllowServerContextTakeover = true, AllowClientContextTakeover = true }).Offer);
    }

    [Theory]
    [InlineData(Plain, true, 15, 15)]
    [InlineData("permessage-deflate; server_no_context_takeover", true, 15, 15)]
    [InlineData("permessage-deflate; server_no_context_takeover; server_max_window_bits=8", true, 8, 15)]
    [InlineData("permessage-deflate; server_no_context_takeover; client_max_window_bits=9", true, 15, 9)]
    [InlineData("permessage-deflate; server_no_context_takeover; client_max_window_bits=\"15\"", true, 15, 15)]
    public void Response_IsConfirmed(string response, bool clientNoContextTakeover, int serverBits, int clientBits)
    {
        Assert.True(Client(new()).TryConfirm(Parse(response), out var agreed, out string? error));
        Assert.Null(error);
        Assert.Equal(new PermessageDeflateParameters(true, clientNoContextTakeover, serverBits, clientBits), agreed);
    }

    [Theory]
    [InlineData("permessage-deflate; server_no_context_takeover, permessage-deflate", "the server accepted an extension that was not offered, or one twice")]
    [InlineData(Plain + ", x-other", "the server accepted an extension that was not offered, or one twice")]
    [InlineData("x-other", "the server accepted an extension that was not offered, or one twice")]
    [InlineData(Plain + "; unknown", "a permessage-deflate parameter is unknown, repeated or has a bad value")]
    [InlineData(Plain + "; server_no_context_takeover", "a permessage-deflate parameter is unknown, repeated or has a bad value")]
    [InlineData(Plain + "; server_max_window_bits=16", "a permessage-deflate parameter is unknown, repeated or has a bad value")]
    [InlineData(Plain + "; server_max_window_bits=09", "a permessage-deflate parameter is unknown, repeated or has a bad value")]
    [InlineData("permessage-deflate; server_no_context_takeover=1", "a permessage-deflate parameter is unknown, repeated or has a bad value")]
    [InlineData(Plain + "; server_max_window_bits", "a permessage-deflate parameter lacks its value")]
    [InlineData(Plain + "; client_max_window_bits", "a permessage-deflate parameter lacks its value")]
    [InlineData("permessage-deflate", "the server did not accept server_no_context_takeover")]
    [InlineData(Plain + "; client_max_window_bits=8", "client_max_window_bits is smaller than this client can do")]
    public void Response_FailsTheConnection(string response, string error) => AssertFails(Client(new()), response, error);

    [Fact]
    public void Response_MustKeepToTheOffer()
    {
        var client = Client(new() { AllowServerContextTakeover = true, AllowClientContextTakeover = true, ServerMaxWindowBits = 10, ClientMaxWindowBits = 12 });
        AssertFails(client, "permessage-deflate", "the server did not accept server_max_window_bits");
        AssertFails(client, "permessage-deflate; server_max_window_bits=11", "the server did not accept server_max_window_bits");
        Assert.True(client.TryConfirm(Parse("permessage-deflate; server_max_window_bits=9; client_max_window_bits=15"), out var agreed, out _));
        Assert.Equal(new PermessageDeflateParameters(false, false, 9, 12), agreed);
        Assert.True(client.TryConfirm(Parse("permessage-deflate; server_max_window_bits=10; client_no_context_takeover"), out agreed, out _));
        Assert.Equal(new PermessageDeflateParameters(false, true, 10, 12), agreed);
    }

    [Fact]
    public void NoResponse_MeansNoCompression()
    {
        Assert.True(Client(new()).TryConfirm([], out var agreed, out string? error));
        Assert.Null(agreed);
        Assert.Null(error);
    }

    [Fact]
    public void EveryOffer_IsAcceptedAndConfirmedAlikeOnBothSides()
    {
        bool[] flags = [false, true];
        int[] windows = [9, 12, 15];
        DeflateProvider[] providers = [new NativeZlib(), new ManagedZlib("test")];
        var all = (from a in flags
                   from b in flags
                   from c in windows
                   from d in windows
                   from p in providers
                   select new PermessageDeflate(
                       new() { AllowServerContextTakeover = a, AllowClientContextTakeover = b, ServerMaxWindowBits = c, ClientMaxWindowBits = d }, p)).ToArray();
        int accepted = 0;
        foreach (var client in all)
        {
            foreach (var server in all)
            {
                if (server.TryAccept(Parse(client.Offer), out var there, out string? response))
                {
                    accepted++;
                    Assert.True(client.TryConfirm(Parse(response), out var here, out string? error), $"{client.Offer} -> {response}: {error}");

                    // What one side sends, the other understands.
                    Assert.True(there.ServerMaxWindowBits <= here!.Value.ServerMaxWindowBits);
                    Assert.True(here.Value.ClientMaxWindowBits <= there.ClientMaxWindowBits);
                    Assert.Equal(there.ServerNoContextTakeover, here.Value.ServerNoContextTakeover);
                    Assert.True(here.Value.ClientNoContextTakeover || !there.ClientNoContextTakeover);
                }
            }
        }

        Assert.InRange(accepted, all.Length * all.Length / 2, all.Length * all.Length);
    }

    [Fact]
    public void OptionsOutOfRange_AreRefusedByName()
    {
        AssertRefused(new() { ServerMaxWindowBits = 8 }, "ServerMaxWindowBits");
        AssertRefused(new() { ServerMaxWindowBits = 16 }, "ServerMaxWindowBits");
        AssertRefused(new() { ClientMaxWindowBits = 8 }, "ClientMaxWindowBits");
        AssertRefused(new() { CompressionLevel = 0 }, "CompressionLevel");
        AssertRefused(new() { CompressionLevel = 10 }, "CompressionLevel");
        Assert.Equal(9, Client(new() { CompressionLevel = 9 }).CompressionLevel);
    }

    private static PermessageDeflate Server() => new(new(), new NativeZlib());

    private static PermessageDeflate Client(PermessageDeflateOptions options) => new(options, new NativeZlib());

    private static IReadOnlyList<Extension> Parse(params string[] lines)
    {
        Assert.True(ExtensionHeader.TryParse(lines, out var extensions, out string? error), error);
        return extensions;
    }

    private static void AssertAccepted(PermessageDeflateOptions options, string offer, PermessageDeflateParameters expected, string expectedResponse)
    {
        Assert.True(Client(options).TryAccept(Parse(offer), out var agreed, out string? response));
        Assert.Equal(expected, agreed);
        Assert.Equal(expectedResponse, response);
    }

    private static void AssertFails(PermessageDeflate client, string response, string expected)
    {
        Assert.False(client.TryConfirm(Parse(response), out var agreed, out string? error));
        Assert.Null(agreed);
        Assert.Equal(expected, error);
    }

    private static void AssertRefused(PermessageDeflateOptions options, string name) =>
        Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => Client(options)).ParamName);
}
