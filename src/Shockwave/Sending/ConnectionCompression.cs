using Shockwave.Protocol;

namespace Shockwave;

/// <summary>permessage-deflate as one connection agreed on it. On the owner only.</summary>
internal sealed class ConnectionCompression : IDisposable
{
    private readonly Shard _shard;
    private readonly MessageDeflater _deflater;
    private readonly bool _isDeflaterDedicated;

    public ConnectionCompression(PermessageDeflateParameters agreed, Shard shard, EndpointRole role, ConnectionSettings settings)
    {
        _shard = shard;
        bool isServer = role == EndpointRole.Server;
        bool peerTakesOver = isServer ? !agreed.ClientNoContextTakeover : !agreed.ServerNoContextTakeover;
        int ourBits = isServer ? agreed.ServerMaxWindowBits : agreed.ClientMaxWindowBits;
        int peerBits = isServer ? agreed.ClientMaxWindowBits : agreed.ServerMaxWindowBits;
        _isDeflaterDedicated = isServer ? !agreed.ServerNoContextTakeover : !agreed.ClientNoContextTakeover;

        // A window is worth its memory only where it outlives a message; everything else is the owner's.
        _deflater = _isDeflaterDedicated
            ? DeflateProvider.Current.CreateDeflater(settings.CompressionLevel, ourBits, hasContextTakeover: true)
            : shard.GetSharedDeflate(settings.CompressionLevel).GetDeflater(ourBits);
        Inflaters = peerTakesOver
            ? new InflaterSource(null, DeflateProvider.Current.CreateInflater(peerBits))
            : new InflaterSource(shard.GetSharedDeflate(settings.CompressionLevel), null);
    }

    public InflaterSource Inflaters { get; }

    /// <summary>Compresses a whole message.</summary>
    /// <returns>The payload, valid until the next call on this owner.</returns>
    public ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> message)
    {
        var output = _shard.CompressionOutput;
        output.ResetWrittenCount();
        _deflater.Compress(message, output);
        return output.WrittenSpan;
    }

    public void Dispose()
    {
        Inflaters.Dedicated?.Dispose();
        if (_isDeflaterDedicated)
        {
            _deflater.Dispose();
        }
    }
}
