using System.Collections.Concurrent;

namespace Shockwave.Tests;

internal sealed class EchoHandler : WebSocketHandler
{
    public override void OnMessage(WebSocketConnection connection, in Message message) => connection.WriteMessage(message.Payload, message.Type);
}

/// <summary>A handler made of delegates, which notes what happens.</summary>
internal sealed class ScriptedHandler : WebSocketHandler
{
    private readonly TaskCompletionSource<CloseInfo> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Action<WebSocketConnection>? Opened { get; init; }

    public Action<WebSocketConnection, string>? Received { get; init; }

    public Action<WebSocketConnection>? Drained { get; init; }

    public ConcurrentQueue<string> Messages { get; } = new();

    public Task<CloseInfo> Closed => _closed.Task;

    public override void OnOpen(WebSocketConnection connection) => Opened?.Invoke(connection);

    public override void OnMessage(WebSocketConnection connection, in Message message)
    {
        string text = message.GetText();
        Messages.Enqueue(text);
        Received?.Invoke(connection, text);
    }

    public override void OnDrain(WebSocketConnection connection) => Drained?.Invoke(connection);

    public override void OnClose(WebSocketConnection connection, in CloseInfo info)
    {
        if (!_closed.TrySetResult(info))
        {
            throw new InvalidOperationException("OnClose was called twice.");
        }
    }
}
