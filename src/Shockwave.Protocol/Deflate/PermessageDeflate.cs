using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Shockwave.Protocol;

/// <summary>
/// Negotiates permessage-deflate (RFC 7692 §5 and §7.1) for either role. Immutable; safe from any thread.
/// </summary>
/// <remarks>Nothing that the peer sent is copied into a response or an error.</remarks>
public sealed class PermessageDeflate
{
    /// <summary>The name registered for the extension.</summary>
    public const string Name = "permessage-deflate";

    private const string ServerNoContextTakeover = "server_no_context_takeover";
    private const string ClientNoContextTakeover = "client_no_context_takeover";
    private const string ServerMaxWindowBits = "server_max_window_bits";
    private const string ClientMaxWindowBits = "client_max_window_bits";
    private const int MaxWindowBits = DeflateProvider.MaxWindowBits;

    // The parameter was there without a value.
    private const int Valueless = 0;

    private readonly bool _allowServerContextTakeover;
    private readonly bool _allowClientContextTakeover;
    private readonly int _serverMaxWindowBits;
    private readonly int _clientMaxWindowBits;
    private readonly int _minWindowBits;

    /// <summary>Copies and checks what this endpoint wants.</summary>
    /// <param name="options">What this endpoint wants.</param>
    /// <param name="provider">What this endpoint compresses with; decides which windows it can promise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value of <paramref name="options"/> is out of its range.</exception>
    public PermessageDeflate(PermessageDeflateOptions options, DeflateProvider provider)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(provider);
        CheckRange(options.ServerMaxWindowBits, 9, MaxWindowBits, nameof(options.ServerMaxWindowBits));
        CheckRange(options.ClientMaxWindowBits, 9, MaxWindowBits, nameof(options.ClientMaxWindowBits));
        CheckRange(options.CompressionLevel, 1, 9, nameof(options.CompressionLevel));
        _allowServerContextTakeover = options.AllowServerContextTakeover;
        _allowClientContextTakeover = options.AllowClientContextTakeover;
        _serverMaxWindowBits = options.ServerMaxWindowBits;
        _clientMaxWindowBits = options.ClientMaxWindowBits;
        _minWindowBits = provider.MinWindowBits;
        CompressionLevel = options.CompressionLevel;
        Offer = CreateOffer();
    }

    /// <summary>Gets the level to compress with, 1 to 9.</summary>
    public int CompressionLevel { get; }

    /// <summary>Gets what a client sends in <c>Sec-WebSocket-Extensions</c>.</summary>
    public string Offer { get; }

    // RFC 7692 §7.1.2.2: the parameter says that the client can obey any value the server may answer, which the fallback cannot.
    private bool OffersClientMaxWindowBits => _minWindowBits < MaxWindowBits;

    /// <summary>As a server, accepts the first offer that can be met.</summary>
    /// <param name="offers">What the client offered, in its order of preference. Other extensions are passed over.</param>
    /// <param name="agreed">What was agreed on <see langword="true"/>.</param>
    /// <param name="response">What to answer in <c>Sec-WebSocket-Extensions</c> on <see langword="true"/>.</param>
    /// <returns>Whether an offer was accepted. An offer that is invalid or cannot be met is declined and the next one looked at (§5.1).</returns>
    public bool TryAccept(
        IReadOnlyList<Extension> offers, out PermessageDeflateParameters agreed, [NotNullWhen(true)] out string? response)
    {
        ArgumentNullException.ThrowIfNull(offers);
        foreach (Extension offer in offers)
        {
            if (offer.Name == Name && Wire.TryRead(offer, out Wire wire) && wire.ServerMaxWindowBits != Valueless
                && TryAccept(wire, out agreed, out response))
            {
                return true;
            }
        }

        agreed = default;
        response = null;
        return false;
    }

    /// <summary>As a client that sent <see cref="Offer"/>, checks what the server answered.</summary>
    /// <param name="response">All extensions of the server's response; empty if there was no such header.</param>
    /// <param name="agreed">What was agreed; <see langword="null"/> if the server declined.</param>
    /// <param name="error">Why the client must fail the connection (§5.1, §7.1), on <see langword="false"/>: a constant text.</param>
    /// <returns>Whether the response fits the offer.</returns>
    public bool TryConfirm(
        IReadOnlyList<Extension> response, out PermessageDeflateParameters? agreed, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(response);
        agreed = null;
        error = null;
        if (response.Count == 0)
        {
            return true;
        }

        var wire = default(Wire);
        error = response.Count > 1 || response[0].Name != Name ? "the server accepted an extension that was not offered, or one twice"
            : !Wire.TryRead(response[0], out wire) ? "a permessage-deflate parameter is unknown, repeated or has a bad value"
            : FindMismatch(wire);
        if (error is not null)
        {
            return false;
        }

        agreed = new PermessageDeflateParameters(
            wire.ServerNoContextTakeover,
            wire.ClientNoContextTakeover || !_allowClientContextTakeover,
            wire.ServerMaxWindowBits ?? MaxWindowBits,
            Math.Min(wire.ClientMaxWindowBits ?? MaxWindowBits, Math.Max(_clientMaxWindowBits, _minWindowBits)));
        return true;
    }

    private static void CheckRange(int value, int min, int max, string name)
    {
        if (value < min || value > max)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be {min} to {max}.");
        }
    }

    private string CreateOffer()
    {
        var offer = new StringBuilder(Name);
        AppendFlag(offer, ServerNoContextTakeover, !_allowServerContextTakeover);
        AppendFlag(offer, ClientNoContextTakeover, !_allowClientContextTakeover);
        AppendBits(offer, ServerMaxWindowBits, _serverMaxWindowBits, _serverMaxWindowBits < MaxWindowBits);
        AppendBits(offer, ClientMaxWindowBits, _clientMaxWindowBits, OffersClientMaxWindowBits && _clientMaxWindowBits < MaxWindowBits);
        AppendFlag(offer, ClientMaxWindowBits, OffersClientMaxWindowBits && _clientMaxWindowBits == MaxWindowBits);
        return offer.ToString();
    }

    private bool TryAccept(in Wire offer, out PermessageDeflateParameters agreed, [NotNullWhen(true)] out string? response)
    {
        // §7.1.2.1: the answer is the same value or a smaller one. What cannot be promised is not accepted.
        if (offer.ServerMaxWindowBits < _minWindowBits)
        {
            agreed = default;
            response = null;
            return false;
        }

        // §7.1.2.2: the client's value is a hint that it will use no more, whether answered or not. Only a client that named the
        // parameter may be told a value.
        bool isClientWindowOurs = offer.ClientMaxWindowBits is not null;
        int hint = offer.ClientMaxWindowBits is null or Valueless ? MaxWindowBits : offer.ClientMaxWindowBits.Value;
        bool isClientWindowTooLarge = hint > _clientMaxWindowBits;
        agreed = new PermessageDeflateParameters(
            offer.ServerNoContextTakeover || !_allowServerContextTakeover,
            offer.ClientNoContextTakeover || !_allowClientContextTakeover || (isClientWindowTooLarge && !isClientWindowOurs),
            Math.Min(offer.ServerMaxWindowBits ?? MaxWindowBits, Math.Max(_serverMaxWindowBits, _minWindowBits)),
            isClientWindowOurs ? Math.Min(hint, _clientMaxWindowBits) : hint);

        var text = new StringBuilder(Name);
        AppendFlag(text, ServerNoContextTakeover, agreed.ServerNoContextTakeover);
        AppendFlag(text, ClientNoContextTakeover, agreed.ClientNoContextTakeover);
        AppendBits(text, ServerMaxWindowBits, agreed.ServerMaxWindowBits, offer.ServerMaxWindowBits is not null);
        AppendBits(text, ClientMaxWindowBits, agreed.ClientMaxWindowBits, isClientWindowOurs && isClientWindowTooLarge);
        response = text.ToString();
        return true;
    }

    private string? FindMismatch(in Wire response) =>
        !_allowServerContextTakeover && !response.ServerNoContextTakeover ? "the server did not accept server_no_context_takeover"
        : response.ServerMaxWindowBits == Valueless || response.ClientMaxWindowBits == Valueless ? "a permessage-deflate parameter lacks its value"
        : (response.ServerMaxWindowBits ?? MaxWindowBits) > _serverMaxWindowBits ? "the server did not accept server_max_window_bits"
        : response.ClientMaxWindowBits is not null && !OffersClientMaxWindowBits ? "client_max_window_bits was not offered"
        : response.ClientMaxWindowBits < _minWindowBits ? "client_max_window_bits is smaller than this client can do"
        : null;

    private static void AppendFlag(StringBuilder text, string name, bool isPresent)
    {
        if (isPresent)
        {
            text.Append("; ").Append(name);
        }
    }

    private static void AppendBits(StringBuilder text, string name, int bits, bool isPresent)
    {
        if (isPresent)
        {
            text.Append("; ").Append(name).Append('=').Append(bits);
        }
    }

    // The parameters as they stood in the header; null for a window that was not mentioned.
    private struct Wire
    {
        public bool ServerNoContextTakeover;
        public bool ClientNoContextTakeover;
        public int? ServerMaxWindowBits;
        public int? ClientMaxWindowBits;

        // §7.1: no unknown name, no name twice, no bad value. Valueless windows are for the caller: they depend on the direction.
        public static bool TryRead(Extension extension, out Wire wire)
        {
            wire = default;
            foreach (ExtensionParameter parameter in extension.Parameters)
            {
                bool isValid = parameter.Name switch
                {
                    PermessageDeflate.ServerNoContextTakeover => TrySet(ref wire.ServerNoContextTakeover, parameter.Value),
                    PermessageDeflate.ClientNoContextTakeover => TrySet(ref wire.ClientNoContextTakeover, parameter.Value),
                    PermessageDeflate.ServerMaxWindowBits => TrySet(ref wire.ServerMaxWindowBits, parameter.Value),
                    PermessageDeflate.ClientMaxWindowBits => TrySet(ref wire.ClientMaxWindowBits, parameter.Value),
                    _ => false,
                };
                if (!isValid)
                {
                    return false;
                }
            }

            return true;
        }

        private static bool TrySet(ref bool flag, string? value)
        {
            bool isValid = !flag && value is null;
            flag = true;
            return isValid;
        }

        private static bool TrySet(ref int? bits, string? value)
        {
            if (bits is not null)
            {
                return false;
            }

            // §7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15, inclusive".
            bits = value switch
            {
                null => Valueless,
                "8" => 8,
                "9" => 9,
                "10" => 10,
                "11" => 11,
                "12" => 12,
                "13" => 13,
                "14" => 14,
                "15" => 15,
                _ => null,
            };
            return bits is not null;
        }
    }
}
