namespace Shockwave.Load;

/// <summary>A server or the client did not do what it was started for; the message says which, and what it printed.</summary>
internal sealed class LoadException(string message) : Exception(message);
