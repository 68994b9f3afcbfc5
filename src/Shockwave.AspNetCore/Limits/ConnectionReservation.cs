using System.Net;

namespace Shockwave.AspNetCore;

/// <summary>A place for a connection that may yet come to nothing: disposing it gives the place back, unless it was committed.</summary>
internal sealed class ConnectionReservation(ConnectionLimits limits, IPAddress? address) : IDisposable
{
    private int _isOver;

    /// <summary>The connection exists: from now on its end gives the place back.</summary>
    public void Commit() => Interlocked.Exchange(ref _isOver, 1);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            limits.Release(address);
        }
    }
}
