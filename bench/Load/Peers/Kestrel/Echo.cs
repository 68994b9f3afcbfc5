using System.Net.WebSockets;

namespace Shockwave.Load.Peers.Kestrel;

internal static class Echo
{
    public static async Task RunAsync(WebSocket socket, CancellationToken aborted)
    {
        using var message = new ReceivedMessage();
        while (await message.ReceiveAsync(socket, aborted))
        {
            await socket.SendAsync(message.Content, message.Type, endOfMessage: true, aborted);
        }
    }
}
