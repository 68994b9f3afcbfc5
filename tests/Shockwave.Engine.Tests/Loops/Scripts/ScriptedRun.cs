using System.Net;
using Shockwave.Testing;

namespace Shockwave.Engine.Tests;

/// <summary>
/// A loop on a fake kernel in which everything happens by chance while connections come and go: what the peers do, when it arrives, which
/// calls fail, and what the handlers do. Only the seed decides.
/// </summary>
internal sealed class ScriptedRun
{
    private const int Port = 80;
    private const int MaxTurnsPerLife = 500;

    private readonly int _seed;
    private readonly int _lives;
    private readonly int _concurrency;
    private readonly int _ownDescriptors;
    private readonly int _firstDescriptor;
    private readonly List<ScriptedConnection> _live = [];
    private readonly Dictionary<FakePeer, ScriptedConnection> _waiting = [];
    private int _started;

    public ScriptedRun(LoopKind kind, int seed, int lives, PoisonedArrayPool pool)
    {
        _seed = seed;
        _lives = lives;
        Pool = pool;
        Dice = new Dice(seed);
        _concurrency = Dice.Between(1, 8);
        _firstDescriptor = Dice.OneIn(10) ? 1020 : 3;
        Kernel = new FakeKernel(~seed) { Faults = ChooseFaults(), Meanwhile = () => Any()?.LetPeerAct() };
        Kernel.BeginDescriptorsAt(_firstDescriptor);
        Loop = FakeLoop.Create(kind, Kernel, Time, pool);
        Loop.Enter();
        _ownDescriptors = Kernel.OpenCount;
    }

    public Dice Dice { get; }

    public FakeKernel Kernel { get; }

    public EventLoop Loop { get; }

    public ManualTimeProvider Time { get; } = new();

    public PoisonedArrayPool Pool { get; }

    /// <summary>Gets the first thing that was not as it must be. Kept, because a loop survives what a handler throws.</summary>
    public string? Failure { get; private set; }

    /// <summary>Gets whether the loop is being ended under the connections.</summary>
    public bool IsEnding { get; private set; }

    /// <summary>Plays the script to its end, and checks that nothing is left.</summary>
    public void Play()
    {
        try
        {
            var acceptor = Listen();
            bool isStopped = Dice.OneIn(8);
            PlayLives(isStopped ? Dice.Between(1, _lives) : _lives, toTheEnd: !isStopped);
            Kernel.Faults = FakeFaults.None;
            Kernel.DescriptorLimit = int.MaxValue;
            if (!isStopped)
            {
                CheckRest(acceptor);
            }

            End();
        }
        catch (Exception e) when (Failure is null)
        {
            Failure = e.ToString();
        }

        if (Failure is not null)
        {
            throw new InvalidOperationException($"SHOCKWAVE_SEED={_seed} begins with it: {Failure}");
        }
    }

    public InvalidOperationException Fail(string what)
    {
        Failure ??= $"{what}\n{Environment.StackTrace}";
        return new InvalidOperationException(what);
    }

    /// <summary>Gets one of the connections that live.</summary>
    public ScriptedConnection? Any() => _live.Count == 0 ? null : _live[Dice.Below(_live.Count)];

    // Some runs are strictly as Linux is in its best hour, most are not.
    private FakeFaults ChooseFaults() => Dice.OneIn(4)
        ? new FakeFaults { Meanwhile = Dice.Between(0, 4) }
        : new FakeFaults
        {
            Interrupted = Dice.OneIn(2) ? 0 : Dice.Between(3, 40),
            AcceptFails = Dice.OneIn(2) ? 0 : Dice.Between(3, 40),
            SendFails = Dice.OneIn(4) ? Dice.Between(20, 100) : 0,
            Spurious = Dice.OneIn(2) ? 0 : Dice.Between(3, 20),
            HangUpInPieces = Dice.OneIn(2) ? 0 : Dice.Between(1, 4),
            FewerEvents = Dice.OneIn(2) ? 0 : Dice.Between(2, 10),
            FewerRequests = Dice.OneIn(2) ? 0 : Dice.Between(2, 20),
            IsShuffled = Dice.OneIn(2),
            Meanwhile = Dice.Between(0, 10),
        };

    private Acceptor Listen()
    {
        int socket = Kernel.OpenSocket(SocketOption.AF_INET, isNonBlocking: true);
        Kernel.Bind(socket, SocketAddresses.Write(new(IPAddress.Loopback, Port)));
        Kernel.Listen(socket, 16);
        if (Dice.OneIn(8))
        {
            Kernel.DescriptorLimit = _firstDescriptor + _ownDescriptors + 1 + Dice.Between(1, _concurrency);
        }

        var acceptor = new Acceptor(Loop, socket, OnAccepted, _ => { });
        acceptor.Open();
        return acceptor;
    }

    private void OnAccepted(SocketTransport transport)
    {
        var peer = ((FakeSocket)Kernel.Find(transport.Socket)!).Peer!;
        if (!_waiting.Remove(peer, out var connection))
        {
            throw Fail("A connection was accepted twice.");
        }

        connection.Begin(transport);
    }

    private void PlayLives(int count, bool toTheEnd)
    {
        int turns = 0;
        while (_started < count || (toTheEnd && _live.Count > 0))
        {
            if (++turns > MaxTurnsPerLife * _lives)
            {
                throw Fail($"The connections do not come to an end: {string.Join("; ", _live)}");
            }

            if (_started < count && _live.Count < _concurrency && Kernel.Connect(Port) is { } peer)
            {
                var connection = new ScriptedConnection(this, ++_started, peer);
                _waiting.Add(peer, connection);
                _live.Add(connection);
            }

            for (int i = Dice.Below(3); i >= 0; i--)
            {
                Any()?.LetPeerAct();
            }

            Any()?.Nudge();
            Loop.RunTurn(mayBlock: false);
            if (Dice.OneIn(16))
            {
                Time.Advance(TimeSpan.FromSeconds(Dice.Between(0, 3)));
            }

            RemoveTheDead();
            if (Failure is not null)
            {
                return;
            }
        }
    }

    private void RemoveTheDead()
    {
        for (int i = _live.Count - 1; i >= 0; i--)
        {
            if (_live[i].IsOver)
            {
                _live[i].Check();
                _waiting.Remove(_live[i].Peer);
                _live[i] = _live[^1];
                _live.RemoveAt(_live.Count - 1);
            }
        }
    }

    // With nothing left to do the loop blocks, and does nothing else; everything that connections had is back.
    private void CheckRest(Acceptor acceptor)
    {
        int blocked = Kernel.BlockedWaits;
        for (int i = 0; Kernel.BlockedWaits == blocked; i++)
        {
            Expect(i < 100, "The loop does not come to rest.");
            Loop.RunTurn(mayBlock: true);
        }

        int calls = Kernel.CallCount;
        Loop.RunTurn(mayBlock: true);
        Expect(Kernel.CallCount == calls + 1, "A loop at rest makes more calls than its wait.");
        Expect(Loop.ConnectionCount == 0, $"{Loop.ConnectionCount} connections are counted.");
        Expect(Pool.LentCount == 0, $"{Pool.LentCount} buffers are not returned.");
        Expect(Kernel.OpenCount == _ownDescriptors + 1, $"{Kernel.OpenCount} descriptors are open.");
        if (Dice.OneIn(2))
        {
            acceptor.Close();
        }
    }

    private void End()
    {
        IsEnding = true;
        Loop.End();
        foreach (var connection in _live)
        {
            connection.CheckEnded();
        }

        Expect(Loop.ConnectionCount == 0, $"{Loop.ConnectionCount} connections are counted.");
        Expect(Pool.LentCount == 0, $"{Pool.LentCount} buffers are not returned.");
        Expect(Time.TimerCount == 0, "A clock is running.");
        Kernel.AssertClean();
    }

    private void Expect(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw Fail(otherwise);
        }
    }
}
