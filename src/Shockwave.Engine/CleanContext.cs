namespace Shockwave.Engine;

/// <summary>
/// The context in which owners call handlers: nothing ambient. Without it an AsyncLocal, an Activity or a culture that one connection's
/// handler sets would be seen by the next connection on the same thread.
/// </summary>
internal static class CleanContext
{
    private static readonly ExecutionContext _clean = Capture();

    /// <summary>Puts the calling thread into the clean context, behind a handler and before another connection's.</summary>
    public static void Restore()
    {
        RestoreFlow();

        // No part of an ExecutionContext: the thread itself keeps it.
        if (SynchronizationContext.Current is not null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }
    }

    /// <summary>The same for what flows, and between two messages of one connection no more than that: 2 to 3 ns where nothing has changed.</summary>
    public static void RestoreFlow() => ExecutionContext.Restore(_clean);

    // A thread that was started without flow has seen nothing.
    private static ExecutionContext Capture()
    {
        ExecutionContext? clean = null;
        var thread = new Thread(() => clean = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return clean!;
    }
}
