using System.Runtime.InteropServices;

namespace Shockwave.Engine;

/// <summary>What a ring is created with, and where its parts lie (<c>struct io_uring_params</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RingParameters
{
    public uint SubmissionEntries;
    public uint CompletionEntries;
    public uint Flags;
    public uint ThreadProcessor;
    public uint ThreadIdle;
    public uint Features;
    public uint WorkQueue;
    public fixed uint Reserved[3];
    public RingOffsets Submission;
    public RingOffsets Completion;
}

/// <summary>Where the fields of one of the two queues lie in its memory (<c>struct io_sqring_offsets</c>, <c>struct io_cqring_offsets</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RingOffsets
{
    public uint Head;
    public uint Tail;
    public uint Mask;
    public uint Entries;

    // The flags of the submission queue; what the completion queue lost in overflows.
    public uint Fifth;

    // What the submission queue dropped; the completion queue's entries.
    public uint Sixth;

    // The submission queue's index array; the completion queue's flags.
    public uint Seventh;
    public uint Reserved;
    public ulong UserAddress;
}

/// <summary>One request to the kernel (<c>struct io_uring_sqe</c>, 64 bytes).</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct RingRequest
{
    public const byte OpPollAdd = 6;
    public const byte OpSendMessage = 9;
    public const byte OpAccept = 13;
    public const byte OpCancel = 14;
    public const byte OpConnect = 16;
    public const byte OpSend = 26;
    public const byte OpReceive = 27;

    public const byte SelectBuffer = 1 << 5;

    public const ushort AcceptMultishot = 1;
    public const ushort ReceiveMultishot = 2;
    public const uint PollMultishot = 1;
    public const uint CancelAll = 1;
    public const uint CancelByDescriptor = 2;

    [FieldOffset(0)]
    public byte Operation;

    [FieldOffset(1)]
    public byte Flags;

    [FieldOffset(2)]
    public ushort IoPriority;

    [FieldOffset(4)]
    public int Descriptor;

    // Of connect only.
    [FieldOffset(8)]
    public ulong AddressLength;

    [FieldOffset(16)]
    public void* Address;

    [FieldOffset(24)]
    public uint Length;

    // The flags of the operation: of send and accept, of cancel, or the events of a poll.
    [FieldOffset(28)]
    public uint OperationFlags;

    [FieldOffset(32)]
    public ulong UserData;

    [FieldOffset(40)]
    public ushort BufferGroup;
}

/// <summary>One answer of the kernel (<c>struct io_uring_cqe</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RingCompletion
{
    private const uint HasBufferFlag = 1;
    private const uint MoreFlag = 2;
    private const uint BufferMoreFlag = 16;

    public ulong UserData;
    public int Result;
    public uint Flags;

    /// <summary>Gets whether the bytes lie in a provided buffer: <see cref="Buffer"/>.</summary>
    public readonly bool HasBuffer => (Flags & HasBufferFlag) != 0;

    public readonly int Buffer => (int)(Flags >> 16);

    /// <summary>Gets whether the request goes on: more completions follow.</summary>
    public readonly bool HasMore => (Flags & MoreFlag) != 0;

    /// <summary>Gets whether the kernel goes on filling the buffer.</summary>
    public readonly bool KeepsBuffer => (Flags & BufferMoreFlag) != 0;
}

/// <summary>Registers a ring of buffers (<c>struct io_uring_buf_reg</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RingBufferRegistration
{
    public const uint Operation = 22;

    /// <summary>A buffer is used piece by piece until it is full (Linux 6.12).</summary>
    public const ushort Incremental = 2;

    public void* Ring;
    public uint Entries;
    public ushort Group;
    public ushort Flags;
    public fixed ulong Reserved[3];
}

/// <summary>One buffer in a ring of buffers (<c>struct io_uring_buf</c>). The last field of the first one is the ring's tail.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RingBuffer
{
    public void* Address;
    public uint Length;
    public ushort Id;
    public ushort Tail;
}

/// <summary>How long a ring is waited for (<c>struct io_uring_getevents_arg</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RingWait
{
    public const uint Flag = 1 << 3;

    public ulong SignalMask;
    public uint SignalMaskSize;
    public uint MinWaitMicroseconds;
    public void* Timeout;
}
