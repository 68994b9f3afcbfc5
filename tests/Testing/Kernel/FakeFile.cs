namespace Shockwave.Testing;

/// <summary>What a descriptor of the <see cref="FakeKernel"/> stands for.</summary>
internal abstract class FakeFile
{
    /// <summary>Gets or sets the descriptor; -1 while there is none.</summary>
    public int Number { get; set; } = -1;

    /// <summary>Gets or sets who is told when something changes. A file is waited for in one place at a time.</summary>
    public IFakeWaiter? Waiter { get; set; }

    /// <summary>Gets or sets whether its descriptor is closed, but not yet the file: a request of a ring still holds it.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Gets what the file is ready for now, as poll(2) says it.</summary>
    public abstract uint Poll();

    /// <summary>Closes the last descriptor.</summary>
    public abstract void OnClosed();

    /// <summary>Says that the file may have become ready for something.</summary>
    public void Wake(uint events) => Waiter?.OnWake(events);
}

/// <summary>Something that waits for a file: its entry in an epoll instance, or what a ring has under way for it.</summary>
internal interface IFakeWaiter
{
    /// <summary>The file may be ready for these.</summary>
    void OnWake(uint events);

    /// <summary>The file's descriptor was closed.</summary>
    /// <returns>Whether the file may go, too.</returns>
    bool OnFileClosed();
}
