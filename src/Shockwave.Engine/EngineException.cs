using System.ComponentModel;

namespace Shockwave.Engine;

/// <summary>A system call failed that only fails when the machine is out of something, or refuses it.</summary>
internal sealed class EngineException(string systemCall, int errno)
    : IOException($"{systemCall} failed: {new Win32Exception(errno).Message} (errno {errno}).")
{
    /// <summary>Gets the error number.</summary>
    public int Errno { get; } = errno;

    /// <summary>Returns a result that is no error.</summary>
    public static int Check(int result, string systemCall) => result >= 0 ? result : throw new EngineException(systemCall, -result);
}
