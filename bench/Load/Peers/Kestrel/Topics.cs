using System.Collections.Concurrent;
using System.Net.WebSockets;

namespace Shockwave.Load.Peers.Kestrel;

/// <summary>Sends a message to everyone on its topic, one after the other: a socket takes one send at a time, and a loopback socket takes it at once.</summary>
internal sealed class Topics
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<WebSocket, SemaphoreSlim>> _subscribers = new();

    public async Task RunAsync(string name, WebSocket socket, CancellationToken aborted)
    {
        var subscribers = _subscribers.GetOrAdd(name, _ => new());
        var sending = new SemaphoreSlim(1);
        subscribers[socket] = sending;
        using var message = new ReceivedMessage();
        try
        {
            while (await message.ReceiveAsync(socket, aborted))
            {
                await PublishAsync(subscribers, message, aborted);
            }
        }
        finally
        {
            subscribers.TryRemove(socket, out _);
        }
    }

    private static async Task PublishAsync(ConcurrentDictionary<WebSocket, SemaphoreSlim> subscribers, ReceivedMessage message, CancellationToken aborted)
    {
        foreach (var (subscriber, sending) in subscribers)
        {
            await sending.WaitAsync(aborted);
            try
            {
                await subscriber.SendAsync(message.Content, message.Type, endOfMessage: true, aborted);
            }
            catch (WebSocketException)
            {
                // That subscriber is gone; its own loop notices.
            }
            finally
            {
                sending.Release();
            }
        }
    }
}
