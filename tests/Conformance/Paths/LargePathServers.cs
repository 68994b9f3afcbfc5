using Microsoft.AspNetCore.Builder;

namespace Shockwave.Conformance;

/// <summary>Servers that take large messages and hold as much as a test sends, with a handler of each kind.</summary>
public sealed class LargePathServers : PathServers
{
    /// <summary>The largest message.</summary>
    public const int MaxMessageBytes = 1 << 20;

    private protected override void Configure(ShockwaveOptions options)
    {
        options.MaxMessageBytes = MaxMessageBytes;
        options.MaxBufferedBytes = 256 << 20;
    }

    private protected override void Map(WebApplication application)
    {
        application.MapShockwave<AsyncEcho>("/async");
        application.MapShockwave("/pull", async (connection, closed) =>
        {
            while (await connection.ReadMessageAsync(closed) is { Type: not MessageType.Close } message)
            {
                await connection.WriteMessageAsync(message.Payload, message.Type, closed);
            }
        });
        application.MapShockwave("/variations", WriteVariations);
    }

    // The same bytes again and again, with another type or another length: each frame needs a header of its own.
    private static void WriteVariations(WebSocketConnection connection, in Message message)
    {
        var payload = message.Payload;
        connection.WriteMessage(payload, MessageType.Text);
        connection.WriteMessage(payload, MessageType.Binary);
        connection.WriteMessage(payload[..(payload.Length / 2)], MessageType.Binary);
        connection.WriteMessage(payload[1..], MessageType.Binary);
        using var lease = message.Lease();
        connection.WriteMessage(lease.Payload.Span, MessageType.Text);
        connection.WriteMessage(lease.Payload.Span, MessageType.Binary);
    }

    private sealed class AsyncEcho : AsyncWebSocketHandler
    {
        public override async ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed)
        {
            if (message.Payload.Length % 2 == 0)
            {
                await Task.Yield();
            }

            await connection.WriteMessageAsync(message.Payload, message.Type, closed);
        }
    }
}
