using Shockwave.Testing;

namespace Shockwave.AspNetCore.Tests;

public sealed class RefusalsTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private readonly RefusalCounters _counters = new();
    private readonly Refusals _refusals;

    public RefusalsTests() => _refusals = new Refusals(_counters, _log, _time);

    public void Dispose()
    {
        _refusals.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void Flood_IsALineASecondForEachReasonAndLosesNoCount()
    {
        for (int second = 0; second < 3; second++)
        {
            for (int i = 0; i < 10_000; i++)
            {
                _refusals.Report(RefusalReason.Connections, 503, "full");
                _refusals.Report(RefusalReason.Origin, 403, "foreign");
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(
            [
                "An opening handshake was refused with 503: full",
                "An opening handshake was refused with 403: foreign",
                "9999 more opening handshakes were refused in the last second, the last with 403: foreign",
                "9999 more opening handshakes were refused in the last second, the last with 503: full",
                "10000 more opening handshakes were refused in the last second, the last with 403: foreign",
                "10000 more opening handshakes were refused in the last second, the last with 503: full",
                "10000 more opening handshakes were refused in the last second, the last with 403: foreign",
                "10000 more opening handshakes were refused in the last second, the last with 503: full",
            ],
            _log.Events.Select(line => line.Text));
        var counted = _counters.Read();
        Assert.Equal((30_000, 30_000, 60_000), (counted.Connections, counted.Origin, counted.Total));
    }

    [Fact]
    public void RefusalAfterAQuietSecond_IsToldAtOnce()
    {
        _refusals.Report(RefusalReason.Rate, 503, "first");
        _time.Advance(TimeSpan.FromSeconds(1));
        _refusals.Report(RefusalReason.Rate, 503, "second");
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(["An opening handshake was refused with 503: first", "An opening handshake was refused with 503: second"], _log.Events.Select(line => line.Text));
    }

    [Fact]
    public void ConnectionClosedWithoutAnAnswer_HasNoStatus()
    {
        for (int i = 0; i < 3; i++)
        {
            _refusals.Report(RefusalReason.TcpConnections, statusCode: null, "full");
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(
            ["A TCP connection was closed without an answer: full", "2 more TCP connections were closed without an answer in the last second: full"],
            _log.Events.Select(line => line.Text));
    }

    [Fact]
    public void EveryReason_HasACountOfItsOwn()
    {
        var reasons = Enum.GetValues<RefusalReason>();
        for (int i = 0; i < reasons.Length; i++)
        {
            for (int times = 0; times <= i; times++)
            {
                _refusals.Report(reasons[i], 503, "no");
            }
        }

        Assert.Equal(new RefusalStatistics(1, 2, 3, 4, 5, 6, 7, 8), _counters.Read());
        Assert.Equal(reasons.Length, _log.Events.Count);
    }
}
