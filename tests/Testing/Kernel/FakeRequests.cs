namespace Shockwave.Testing;

/// <summary>The requests that rings have under way for one file.</summary>
internal sealed class FakeRequests(FakeFile file) : IFakeWaiter
{
    private readonly List<FakeRequest> _pending = [];

    public void Add(FakeRequest request) => _pending.Add(request);

    public void Remove(FakeRequest request)
    {
        _pending.Remove(request);
        if (file.IsHeld && _pending.Count == 0)
        {
            file.IsHeld = false;
            file.OnClosed();
        }
    }

    /// <inheritdoc />
    public void OnWake(uint events)
    {
        foreach (var request in _pending)
        {
            if ((request.Interest & events) != 0)
            {
                request.Wake();
            }
        }
    }

    /// <inheritdoc />
    public bool OnFileClosed()
    {
        file.IsHeld = _pending.Count > 0;
        if (file is FakeSocket { Peer: not null, IsHeld: true } socket)
        {
            throw socket.Kernel.Misused($"Socket {file.Number} was closed under a request.");
        }

        return !file.IsHeld;
    }
}
