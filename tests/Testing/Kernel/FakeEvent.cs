using Shockwave.Engine;

namespace Shockwave.Testing;

/// <summary>An eventfd.</summary>
internal sealed class FakeEvent : FakeFile
{
    private ulong _count;

    public void Signal()
    {
        _count++;
        Wake(EpollEvent.IN);
    }

    public bool TryClear()
    {
        bool wasSignalled = _count > 0;
        _count = 0;
        return wasSignalled;
    }

    /// <inheritdoc />
    public override uint Poll() => EpollEvent.OUT | (_count > 0 ? EpollEvent.IN : 0);

    /// <inheritdoc />
    public override void OnClosed()
    {
    }
}
