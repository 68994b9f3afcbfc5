using System.Globalization;

namespace Shockwave.AspNetCore.Tests;

/// <summary>What the kernel holds of a TCP connection on this machine, as it tells everybody.</summary>
internal static class KernelQueues
{
    /// <summary>Counts the bytes from one port to another that were sent and not received: unacknowledged at one end, unread at the other.</summary>
    public static long BytesUnderWay(int from, int to) =>
        Read(local: from, remote: to, queue: 0) + Read(local: to, remote: from, queue: 1);

    // A line: number, local address, remote address, state, and the two queues as SEND:RECEIVE; all in hexadecimal.
    private static long Read(int local, int remote, int queue)
    {
        foreach (string file in (string[])["/proc/net/tcp", "/proc/net/tcp6"])
        {
            foreach (string line in File.ReadLines(file).Skip(1))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields[1].EndsWith($":{local:X4}", StringComparison.Ordinal) && fields[2].EndsWith($":{remote:X4}", StringComparison.Ordinal))
                {
                    return long.Parse(fields[4].Split(':')[queue], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                }
            }
        }

        return 0;
    }
}
