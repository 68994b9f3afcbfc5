using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Shockwave.Protocol;

/// <summary>
/// One raw DEFLATE stream of the zlib that .NET itself carries. Owns native memory: <see cref="SafeHandle.Dispose()"/> frees it at once,
/// the finaliser is only the net below. One thread at a time; a disposal that races with a call waits for it.
/// </summary>
/// <remarks>
/// The exports belong to System.IO.Compression and may change with any runtime, so <see cref="DeflateProvider"/> uses them only after a
/// round trip through them has succeeded in this process.
/// </remarks>
internal sealed unsafe partial class ZlibStream : SafeHandle
{
    public const int Ok = 0;
    public const int StreamEnd = 1;
    public const int BufferError = -5;

    public const int NoFlush = 0;
    public const int SyncFlush = 2;
    public const int FullFlush = 3;
    public const int Block = 5;

    private const string Library = "libSystem.IO.Compression.Native";
    private const int MethodDeflated = 8;
    private const int DefaultStrategy = 0;

    // The runtime's struct has 40 bytes. The rest is room for one that grew, so that a newer runtime cannot write past the end.
    private const int StateBytes = 256;

    private readonly bool _isDeflate;

    static ZlibStream() =>
        // The runtime's own copy, found as System.IO.Compression finds it and never along the loader's path. A runtime that has the
        // library linked in (single file, native AOT) resolves the name itself and does not ask here.
        // It is the only library that this assembly imports.
        NativeLibrary.SetDllImportResolver(
            typeof(ZlibStream).Assembly,
            static (_, _, _) => NativeLibrary.Load("System.IO.Compression.Native", typeof(DeflateStream).Assembly, searchPath: null));

    private ZlibStream(bool isDeflate)
        : base(0, ownsHandle: true)
    {
        _isDeflate = isDeflate;
        SetHandle((nint)NativeMemory.AllocZeroed(StateBytes));
    }

    /// <inheritdoc />
    public override bool IsInvalid => handle == 0;

    private State* Native => (State*)handle;

    /// <summary>Opens a stream that compresses. <paramref name="windowBits"/> is 9 to 15: raw DEFLATE in zlib has no 8.</summary>
    public static ZlibStream OpenDeflate(int level, int windowBits, int memoryLevel)
    {
        var stream = new ZlibStream(isDeflate: true);
        return Opened(stream, DeflateInit2(stream.Native, level, MethodDeflated, -windowBits, memoryLevel, DefaultStrategy));
    }

    /// <summary>Opens a stream that decompresses. <paramref name="windowBits"/> is 9 to 15.</summary>
    public static ZlibStream OpenInflate(int windowBits)
    {
        var stream = new ZlibStream(isDeflate: false);
        return Opened(stream, InflateInit2(stream.Native, -windowBits));
    }

    /// <summary>Compresses or decompresses what fits. <paramref name="destination"/> must not be empty: zlib refuses a null pointer.</summary>
    /// <returns>zlib's code; positive or zero, or <see cref="BufferError"/> when there was nothing to do.</returns>
    /// <exception cref="ObjectDisposedException">The stream was disposed.</exception>
    public int Run(ReadOnlySpan<byte> source, Span<byte> destination, int flush, out int bytesConsumed, out int bytesWritten)
    {
        bool isReferenced = false;
        try
        {
            DangerousAddRef(ref isReferenced);
            fixed (byte* input = source)
            fixed (byte* output = destination)
            {
                // The pointers are good until the spans are unpinned. zlib keeps them, but every call sets them anew before it reads them.
                State* state = Native;
                state->NextIn = input;
                state->AvailableIn = (uint)source.Length;
                state->NextOut = output;
                state->AvailableOut = (uint)destination.Length;
                int code = _isDeflate ? Deflate(state, flush) : Inflate(state, flush);
                bytesConsumed = source.Length - (int)state->AvailableIn;
                bytesWritten = destination.Length - (int)state->AvailableOut;
                return code;
            }
        }
        finally
        {
            Release(isReferenced);
        }
    }

    /// <summary>Starts a new stream in the memory of a stream that decompressed: nothing of its window can be referred to any more.</summary>
    /// <exception cref="ObjectDisposedException">The stream was disposed.</exception>
    public void ResetInflate(int windowBits)
    {
        bool isReferenced = false;
        try
        {
            DangerousAddRef(ref isReferenced);

            // With the window bits it was opened with there is nothing to allocate and nothing that can fail.
            _ = InflateReset2(Native, -windowBits);
        }
        finally
        {
            Release(isReferenced);
        }
    }

    /// <inheritdoc />
    protected override bool ReleaseHandle()
    {
        // Also after an Init2 that failed in zlib, as the runtime has allocated its own part by then. But not after one that found no
        // library or no memory: there End would fail as well, on the finaliser's thread, or follow a null pointer.
        if (Native->InternalState != null)
        {
            _ = _isDeflate ? DeflateEnd(Native) : InflateEnd(Native);
        }

        NativeMemory.Free(Native);
        return true;
    }

    private static ZlibStream Opened(ZlibStream stream, int code)
    {
        if (code == Ok)
        {
            return stream;
        }

        stream.Dispose();
        throw new InsufficientMemoryException($"zlib could not open a stream: code {code}.");
    }

    private void Release(bool isReferenced)
    {
        if (isReferenced)
        {
            DangerousRelease();
        }
    }

    [LibraryImport(Library, EntryPoint = "CompressionNative_DeflateInit2_")]
    private static partial int DeflateInit2(State* state, int level, int method, int windowBits, int memoryLevel, int strategy);

    [LibraryImport(Library, EntryPoint = "CompressionNative_Deflate")]
    private static partial int Deflate(State* state, int flush);

    [LibraryImport(Library, EntryPoint = "CompressionNative_DeflateEnd")]
    private static partial int DeflateEnd(State* state);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateInit2_")]
    private static partial int InflateInit2(State* state, int windowBits);

    [LibraryImport(Library, EntryPoint = "CompressionNative_Inflate")]
    private static partial int Inflate(State* state, int flush);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateReset2_")]
    private static partial int InflateReset2(State* state, int windowBits);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateEnd")]
    private static partial int InflateEnd(State* state);

    // PAL_ZStream as the runtime declares it.
    [StructLayout(LayoutKind.Sequential)]
    private struct State
    {
        public byte* NextIn;
        public byte* NextOut;
        public byte* Message;
        public void* InternalState;
        public uint AvailableIn;
        public uint AvailableOut;
    }
}
