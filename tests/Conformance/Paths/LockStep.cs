namespace Shockwave.Conformance;

/// <summary>What one of many clients sends, and where it is cut.</summary>
internal sealed record ChunkedSend(WireClient Client, byte[] Bytes, int[] Chunks);

/// <summary>Sends many clients' bytes so that the server's connections receive exactly these chunks.</summary>
internal static class LockStep
{
    /// <summary>Each client sends its next chunk when the server has read all that were sent before. Nobody else may send meanwhile.</summary>
    public static async Task SendAsync(PathServer server, IReadOnlyList<ChunkedSend> sends)
    {
        long sent = server.CountReceived();
        int[] positions = new int[sends.Count];
        int steps = sends.Max(send => send.Chunks.Length);
        for (int step = 0; step < steps; step++)
        {
            for (int i = 0; i < sends.Count; i++)
            {
                if (step < sends[i].Chunks.Length)
                {
                    int chunk = sends[i].Chunks[step];
                    await sends[i].Client.SendAsync(sends[i].Bytes.AsMemory(positions[i], chunk));
                    positions[i] += chunk;
                    sent += chunk;
                }
            }

            await server.WaitForReceivedAsync(sent);
        }
    }
}
