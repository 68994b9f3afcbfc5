using System.Net.Sockets;

namespace Shockwave.Load.Resources;

/// <summary>What a connection that sends as fast as it can does to the others: their slowest hundredth with it and without, in turn.</summary>
internal static class Flood
{
    // The server has core 0, the clients core 1.
    private const int ClientCore = 1;
    private const int Quiet = 99;
    private const int Rounds = 9;
    private const int RoundTrips = 4000;
    private const int FrameBytes = 1024;

    public static async Task<string> MeasureAsync(MeasuredServer server)
    {
        var quiet = await Task.WhenAll(Enumerable.Range(0, Quiet).Select(_ => Client.OpenAsync(server, "/echo")));
        await OnClientCore(() => MeasureP99(quiet), isIdle: false);
        var without = new List<double>();
        var with = new List<double>();
        long flooded = 0;
        for (int i = 0; i < Rounds; i++)
        {
            without.Add(await OnClientCore(() => MeasureP99(quiet), isIdle: false));
            using var flooding = new CancellationTokenSource();
            using var client = await Client.OpenAsync(server, "/topic");
            var flood = OnClientCore(() => Send(client.Socket, flooding.Token), isIdle: true);
            with.Add(await OnClientCore(() => MeasureP99(quiet), isIdle: false));
            await flooding.CancelAsync();
            flooded += await flood;
        }

        double ratio = with.Zip(without, (flood, none) => flood / none).Order().ElementAt(Rounds / 2);
        return $"P99 without {without.Order().ElementAt(Rounds / 2):F0} us, with {with.Order().ElementAt(Rounds / 2):F0} us, median ratio {ratio:F2}, flooded {flooded >> 20} MiB";
    }

    // The flood yields to the others on their core at once: only what the server does to them is measured.
    private static Task<T> OnClientCore<T>(Func<T> run, bool isIdle)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            ThreadPlace.Set(ClientCore, isIdle);
            try
            {
                result.SetResult(run());
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        })
        { IsBackground = true }.Start();
        return result.Task;
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
