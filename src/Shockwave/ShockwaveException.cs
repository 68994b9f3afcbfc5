namespace Shockwave;

/// <summary>The base of every exception that Shockwave defines.</summary>
public abstract class ShockwaveException : Exception
{
    private protected ShockwaveException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
