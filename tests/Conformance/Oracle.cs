using System.Buffers.Binary;
using System.Net.WebSockets;

namespace Shockwave.Conformance;

/// <summary>The WebSocket of .NET itself, fed from memory.</summary>
internal static class Oracle
{
    private static readonly byte[] _buffer = new byte[32 * 1024];

    /// <summary>Reads a stream to its end. One at a time.</summary>
    public static Reading Read(GeneratedStream stream)
    {
        using var memory = new ScriptedStream(stream);
        using var socket = WebSocket.CreateFromStream(memory, new WebSocketCreationOptions
        {
            IsServer = true,
            KeepAliveInterval = TimeSpan.Zero,
            DangerousDeflateOptions = stream.Extension == StreamExtension.None ? null : new WebSocketDeflateOptions
            {
                ClientContextTakeover = stream.Extension == StreamExtension.DeflateWithContextTakeover,
                ServerContextTakeover = false,
            },
        });
        var messages = new List<string>();
        var ending = ReadMessages(socket, messages);
        return ending switch
        {
            Ending.Closed => new Reading(messages, ending, (int)socket.CloseStatus!.Value),
            Ending.Failed when memory.GetSentCloseCode() is { } code => new Reading(messages, Ending.Refused, code),
            _ => new Reading(messages, ending, 0),
        };
    }

    private static Ending ReadMessages(WebSocket socket, List<string> messages)
    {
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult result;
            try
            {
                var receiving = socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None).AsTask();
                Assert.True(receiving.IsCompleted, "The oracle waits, but everything is there.");
                result = receiving.GetAwaiter().GetResult();
            }
            catch (WebSocketException e) when (e.WebSocketErrorCode == WebSocketError.ConnectionClosedPrematurely)
            {
                return Ending.Incomplete;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                // The protocol's violation, or whatever escapes from the inflater.
                return Ending.Failed;
            }

            if (result.MessageType == WebSocketMessageType.Close)
            {
                return Ending.Closed;
            }

            length += result.Count;
            if (result.EndOfMessage)
            {
                messages.Add(Reading.Describe(result.MessageType == WebSocketMessageType.Text, _buffer.AsSpan(0, length)));
                length = 0;
            }
        }
    }

    // Everything is there at once, chunk by chunk, and what is written is kept.
    private sealed class ScriptedStream(GeneratedStream script) : MemoryStream
    {
        private int _position;
        private int _chunk;
        private int _rest;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_rest == 0 && _chunk < script.Chunks.Length)
            {
                _rest = script.Chunks[_chunk++];
            }

            int count = Math.Min(_rest, buffer.Length);
            script.Bytes.AsSpan(_position, count).CopyTo(buffer.Span);
            _position += count;
            _rest -= count;
            return new(count);
        }

        /// <summary>Gets the code in the Close frame that was written; pongs come before it.</summary>
        public int? GetSentCloseCode()
        {
            var sent = ToArray().AsSpan();
            while (sent.Length >= 2)
            {
                if (sent[0] == 0x88)
                {
                    return BinaryPrimitives.ReadUInt16BigEndian(sent[2..]);
                }

                sent = sent[(2 + sent[1])..];
            }

            return null;
        }
    }
}
