namespace Shockwave.Testing;

/// <summary>The system calls that a <see cref="FakeKernel"/> counts and makes fail.</summary>
internal enum KernelCall : byte
{
    OpenSocket,
    SetOption,
    Bind,
    Listen,
    Connect,
    Accept,
    GetAddress,
    Receive,
    Discard,
    Send,
    ShutdownSend,
    SetResetOnClose,
    Close,
    EpollCreate,
    EpollControl,
    EpollWait,
    EventCreate,
    EventSignal,
    EventClear,
    RingCreate,
    RingEnter,
    RingRegister,
    RingMap,
    RingUnmap,
}
