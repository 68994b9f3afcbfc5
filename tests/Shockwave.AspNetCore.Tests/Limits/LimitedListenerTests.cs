using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

// The listener that Kestrel gets, without Kestrel.
public sealed class LimitedListenerTests
{
    [Theory]
    [InlineData(ServerPath.Engine, 5)]
    [InlineData(ServerPath.IoUring, 5)]
    [InlineData(ServerPath.Plain, 3)]
    public async Task Unbinding_EndsTheWaitAndHandsOverWhoeverWasAccepted(ServerPath path, int expected)
    {
        var time = new ManualTimeProvider();
        await using var app = await TestApplication.StartAsync(
            path, _ => { }, builder => builder.Services.AddSingleton<TimeProvider>(time), ("Shockwave:AcceptsPerSecond", "1"));
        var factory = app.Services.GetServices<IConnectionListenerFactory>().OfType<LimitedListenerFactory>().Single();
        await using var listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var clients = new List<Socket>();
        for (int i = 0; i < 5; i++)
        {
            clients.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            await clients[i].ConnectAsync(listener.EndPoint);
        }

        var accepted = new List<ConnectionContext> { (await listener.AcceptAsync())!, (await listener.AcceptAsync())! };
        int timers = time.TimerCount;
        var third = listener.AcceptAsync().AsTask();
        while (time.TimerCount == timers)
        {
            await Task.Yield();
        }

        Assert.False(third.IsCompleted);
        await listener.UnbindAsync();
        for (var next = third; await next is { } connection; next = listener.AcceptAsync().AsTask())
        {
            accepted.Add(connection);
        }

        // Kestrel's own sockets leave those in the kernel's queue to their fate.
        Assert.Equal(expected, accepted.Count);
        foreach (var connection in accepted)
        {
            connection.Abort();
            await connection.DisposeAsync();
        }

        Assert.Equal(0, factory.Limits.Count);
        clients.ForEach(client => client.Dispose());
    }
}
