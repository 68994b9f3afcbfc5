using System.Net.Sockets;

namespace Shockwave.Load.Resources;

/// <summary>Ninety-nine quiet connections and one that sends as fast as it can: the quiet ones' slowest hundredth with it and without, in turn.</summary>
internal static class FloodClients
{
    /// <summary>What the process is started with that runs this.</summary>
    public const string Name = "flooding";

    private const int Quiet = 99;
    private const int Rounds = 9;
    private const int RoundTrips = 4000;
    private const int FrameBytes = 1024;

    public static async Task<string> MeasureAsync(int port)
    {
        var quiet = new Client[Quiet];
        for (int i = 0; i < Quiet; i++)
        {
            quiet[i] = await Client.OpenAsync(port, "/echo");
        }

        // What is slow at first, on both sides, is over then.
        for (int i = 0; i < Rounds; i++)
        {
            MeasureP99(quiet);
        }

        var without = new List<double>();
        var with = new List<double>();
        long flooded = 0;
        for (int i = 0; i < Rounds; i++)
        {
            without.Add(MeasureP99(quiet));
            using var flooding = new CancellationTokenSource();
            using var client = await Client.OpenAsync(port, "/topic");
            var flood = new Thread(() =>
            {
                // It yields to the others on this core at once: only what the server does to them is measured.
                ThreadPlace.BecomeIdle();
                flooded += Send(client.Socket, flooding.Token);
            });
            flood.Start();
            with.Add(MeasureP99(quiet));
            await flooding.CancelAsync();
            flood.Join();
        }

        double ratio = with.Zip(without, (flood, none) => flood / none).Order().ElementAt(Rounds / 2);
        return $"P99 without {without.Order().ElementAt(Rounds / 2):F0} us, with {with.Order().ElementAt(Rounds / 2):F0} us, median ratio {ratio:F2}, flooded {flooded >> 20} MiB";
    }

    private static long Send(Socket socket, CancellationToken cancellationToken)
    {
        byte[] frames = new byte[64 * (8 + FrameBytes)];
        for (int i = 0; i < 64; i++)
        {
            var frame = frames.AsSpan(i * (8 + FrameBytes));
            frame[0] = 0x82;
            frame[1] = 0x80 | 126;
            frame[2] = FrameBytes >> 8;
            frame[3] = FrameBytes & 0xFF;
        }

        long sent = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            int position = 0;
            while (position < frames.Length)
            {
                position += socket.Send(frames, position, frames.Length - position, SocketFlags.None);
            }

            sent += frames.Length;
        }

        return sent;
    }

    private static double MeasureP99(Client[] clients)
    {
        byte[] message = [0x82, 0x80 | 4, 0, 0, 0, 0, 1, 2, 3, 4];
        byte[] answer = new byte[6];
        double[] microseconds = new double[RoundTrips];
        for (int i = 0; i < RoundTrips; i++)
        {
            var socket = clients[i % clients.Length].Socket;
            long start = TimeProvider.System.GetTimestamp();
            socket.Send(message);
            int received = 0;
            while (received < answer.Length)
            {
                received += socket.Receive(answer, received, answer.Length - received, SocketFlags.None);
            }

            microseconds[i] = TimeProvider.System.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(microseconds);
        return microseconds[RoundTrips * 99 / 100];
    }
}
