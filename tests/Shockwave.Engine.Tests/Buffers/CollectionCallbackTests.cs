using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Shockwave.Engine.Tests;

public sealed class CollectionCallbackTests
{
    [Fact]
    public void IsCalledAfterEachCollection_WhileItsTargetLives()
    {
        var target = new Counter();
        CollectionCallback.Register(target, counter => Interlocked.Increment(ref counter.Calls));
        Collect();
        int once = target.Calls;
        Assert.True(once > 0);
        Collect();
        Assert.True(target.Calls > once);
        GC.KeepAlive(target);
    }

    [Fact]
    public void KeepsItsTargetFromNothing()
    {
        var target = RegisterAndForget();
        Collect();
        Collect();
        Assert.False(target.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference RegisterAndForget()
    {
        var target = new Counter();
        CollectionCallback.Register(target, _ => { });
        return new WeakReference(target);
    }

    [SuppressMessage("ApiDesign", "RS0030", Justification = "What follows a collection is what is asked for.")]
    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private sealed class Counter
    {
        public int Calls;
    }
}
