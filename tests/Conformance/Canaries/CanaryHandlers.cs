using System.Text;

namespace Shockwave.Conformance;

/// <summary>What both kinds of handlers do: echo, and now and then write from elsewhere, publish, close or abort meanwhile.</summary>
internal sealed class CanaryServing(PathServer server, CanaryRecord record)
{
    // Of so many messages one is answered in this way as well.
    private const int OneInPush = 24;
    private const int OneInPublish = 32;
    private const int OneInPoison = 8;
    private const int OneInEnd = 1024;

    public void Open(WebSocketConnection connection)
    {
        server.CheckConnection(connection);
        string secret = (string)connection.RouteValues["secret"]!;
        connection.State = new Canary(secret);
        connection.Subscribe(secret);
    }

    public Canary Receive(WebSocketConnection connection, ReadOnlySpan<byte> payload)
    {
        var canary = (Canary)connection.State!;
        record.CountRound();
        record.Check(canary, payload, "the server's handler");
        return canary;
    }

    /// <summary>Whatever is not the echo.</summary>
    public static void Disturb(WebSocketConnection connection, Canary canary)
    {
        var random = Random.Shared;
        if (random.Next(OneInPoison) == 0)
        {
            Canary.PoisonPools();
        }

        if (random.Next(OneInPush) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static state => Push(state.connection, state.canary), (connection, canary), preferLocal: false);
        }

        if (random.Next(OneInPublish) == 0)
        {
            connection.Publish(canary.Secret, canary.Sing(random.Next(CanaryClient.MaxSmallBytes)).Span, MessageType.Text);
        }

        switch (random.Next(OneInEnd))
        {
            case 0:
                connection.Close((CloseCode)4000, canary.Secret);
                break;
            case 1:
                connection.Abort();
                break;
            case 2:
                ThreadPool.UnsafeQueueUserWorkItem(static state => state.connection.Close((CloseCode)4001, state.canary.Secret), (connection, canary), preferLocal: false);
                break;
            case 3:
                ThreadPool.UnsafeQueueUserWorkItem(static state => state.connection.Abort(), (connection, canary), preferLocal: false);
                break;
            default:
                break;
        }
    }

    public void End(WebSocketConnection connection, in CloseInfo info)
    {
        record.CountRound();

        // What a client says on its way out is its secret as well; what we say about a violator is not.
        if (info is { IsPeerFirst: true, Reason.Length: > 0 })
        {
            record.Check((Canary)connection.State!, Encoding.UTF8.GetBytes(info.Reason), "the close reason");
        }
    }

    private static void Push(WebSocketConnection connection, Canary canary)
    {
        int count = Random.Shared.Next(1, 4);
        for (int i = 0; i < count; i++)
        {
            connection.WriteMessage(canary.Sing(CanaryClient.RandomLength(Random.Shared)).Span, MessageType.Text);
        }

        Canary.PoisonPools();
    }
}

/// <summary>A synchronous handler of canaries.</summary>
internal sealed class CanaryHandler(CanaryServing serving) : WebSocketHandler
{
    private const int OneInTwice = 8;

    public override void OnOpen(WebSocketConnection connection) => serving.Open(connection);

    public override void OnMessage(WebSocketConnection connection, in Message message)
    {
        var canary = serving.Receive(connection, message.Payload);
        connection.WriteMessage(message.Payload, message.Type);
        if (Random.Shared.Next(OneInTwice) == 0)
        {
            // Another frame of the same bytes, which may still lie where they were received.
            connection.WriteMessage(message.Payload, MessageType.Text);
        }

        CanaryServing.Disturb(connection, canary);
    }

    public override void OnClose(WebSocketConnection connection, in CloseInfo info) => serving.End(connection, info);
}

/// <summary>An asynchronous handler of canaries: it holds what it was lent while others go on.</summary>
internal sealed class AsyncCanaryHandler(CanaryServing serving) : AsyncWebSocketHandler
{
    public override ValueTask OnOpenAsync(WebSocketConnection connection, CancellationToken closed)
    {
        serving.Open(connection);
        return default;
    }

    public override async ValueTask OnMessageAsync(WebSocketConnection connection, LeasedMessage message, CancellationToken closed)
    {
        await Task.Yield();
        var canary = serving.Receive(connection, message.Payload.Span);
        await connection.WriteMessageAsync(message.Payload, message.Type, closed);
        CanaryServing.Disturb(connection, canary);
    }

    public override ValueTask OnCloseAsync(WebSocketConnection connection, CloseInfo info)
    {
        serving.End(connection, info);
        return default;
    }
}
