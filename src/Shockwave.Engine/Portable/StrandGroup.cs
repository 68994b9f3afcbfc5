namespace Shockwave.Engine;

/// <summary>The strands of one server or client, as many as there are cores. Connections are spread over them in turn. Thread-safe.</summary>
internal sealed class StrandGroup
{
    private readonly Strand[] _strands;
    private int _next;

    public StrandGroup(TimeProvider time, int count)
    {
        _strands = new Strand[count];
        for (int i = 0; i < count; i++)
        {
            _strands[i] = new Strand(time);
        }
    }

    /// <summary>Gets all strands.</summary>
    public IReadOnlyList<Strand> Strands => _strands;

    /// <summary>Picks the owner of a new connection.</summary>
    public Strand Next() => _strands[(uint)Interlocked.Increment(ref _next) % (uint)_strands.Length];
}
