using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Shockwave.Engine;

namespace Shockwave.AspNetCore.Tests;

// The listener that is below the one with the limits. Here it is the test that accepts, or does not.
public sealed class EngineListenerTests
{
    private const int Most = EngineListener.MaxWaiting;

    [Theory]
    [InlineData(ServerPath.Engine)]
    [InlineData(ServerPath.IoUring)]
    public async Task ConnectionsThatNobodyTakes_StayInTheKernelsQueue(ServerPath path)
    {
        await using var app = await TestApplication.StartAsync(path, _ => { }, configure: null, ("Shockwave:Loops", "1"));
        var loop = app.Services.GetRequiredService<EngineHost>().Loops!.Loops.Single();
        var factory = app.Services.GetServices<IConnectionListenerFactory>().OfType<EngineTransportFactory>().Single();
        await using var listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var clients = new List<Socket>();
        await ConnectAsync(Most + 100);
        while (loop.ConnectionCount < Most)
        {
            await Task.Yield();
        }

        // What io_uring had accepted by then is in as well.
        await TurnsAsync(loop);
        int open = loop.ConnectionCount;
        Assert.InRange(open, Most, path == ServerPath.Engine ? Most : Most + 100);
        await ConnectAsync(200);
        await TurnsAsync(loop);
        Assert.Equal(open, loop.ConnectionCount);

        // When half of them are taken, it goes on.
        for (int i = 0; i < open - (Most / 2) - 1; i++)
        {
            await TakeAsync();
        }

        await TurnsAsync(loop);
        Assert.Equal(open, loop.ConnectionCount + _taken);
        await TakeAsync();
        while (loop.ConnectionCount + _taken == open)
        {
            await Task.Yield();
        }

        while (_taken < clients.Count)
        {
            await TakeAsync();
        }

        clients.ForEach(client => client.Dispose());

        async Task ConnectAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                clients.Add(client);
                await client.ConnectAsync(listener.EndPoint);
            }
        }

        async Task TakeAsync()
        {
            var connection = (await listener.AcceptAsync())!;
            connection.Abort();
            await connection.DisposeAsync();
            _taken++;
        }
    }

    private int _taken;

    // Whatever the kernel has for the loop by now is handled then.
    private static async Task TurnsAsync(EventLoop loop)
    {
        for (int i = 0; i < 4; i++)
        {
            var turn = new Turn();
            loop.Post(turn);
            await turn.Ended.Task;
        }
    }

    private sealed class Turn : IOwnerWork
    {
        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Run(object? state, long argument) => Ended.SetResult();
    }
}
