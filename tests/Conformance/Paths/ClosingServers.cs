using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Shockwave.Conformance;

/// <summary>Servers whose <c>/close</c> does what it is told: it echoes, closes, aborts or throws.</summary>
public sealed class ClosingServers : PathServers
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<CloseInfo>> _ends = new();

    /// <summary>Waits for the end of the connection that has said <c>name:</c> with this name.</summary>
    internal Task<CloseInfo> EndOfAsync(string name) => EndOf(name).Task;

    /// <inheritdoc />
    private protected override void AddServices(IServiceCollection services) => services.AddSingleton(new Handler(this));

    /// <inheritdoc />
    private protected override void Map(WebApplication application)
    {
        application.MapShockwave<Handler>("/close");
    }

    private TaskCompletionSource<CloseInfo> EndOf(string name) =>
        _ends.GetOrAdd(name, _ => new TaskCompletionSource<CloseInfo>(TaskCreationOptions.RunContinuationsAsynchronously));

    private sealed class Handler(ClosingServers servers) : WebSocketHandler
    {
        public override void OnMessage(WebSocketConnection connection, in Message message)
        {
            string text = message.GetText();
            switch (text)
            {
                case "close":
                    connection.Close((CloseCode)4000, "enough");
                    break;
                case "close elsewhere":
                    ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Close((CloseCode)4000, "enough"), connection, preferLocal: false);
                    break;
                case "abort":
                    connection.Abort();
                    break;
                case "throw":
                    throw new InvalidOperationException("thrown");
                case var _ when text.StartsWith("name:", StringComparison.Ordinal):
                    connection.State = text;
                    connection.WriteMessage(message.Payload, message.Type);
                    break;
                default:
                    connection.WriteMessage(message.Payload, message.Type);
                    break;
            }
        }

        public override void OnClose(WebSocketConnection connection, in CloseInfo info)
        {
            if (connection.State is string name)
            {
                servers.EndOf(name).SetResult(info);
            }
        }
    }
}
