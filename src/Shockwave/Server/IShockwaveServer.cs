namespace Shockwave;

/// <summary>The server, for any service: inject it. Every member may be called from any thread.</summary>
public interface IShockwaveServer
{
    /// <summary>Gets how many connections are open.</summary>
    int ConnectionCount { get; }

    /// <summary>Sends a message to every subscriber of a topic.</summary>
    /// <param name="topic">The topic's exact name, 1 to 255 bytes in UTF-8.</param>
    /// <param name="payload">The whole message; copied once. Text must be valid UTF-8.</param>
    /// <param name="type"><see cref="MessageType.Text"/> or <see cref="MessageType.Binary"/>.</param>
    /// <returns>Whether it will be delivered.</returns>
    /// <exception cref="ArgumentException"><paramref name="topic"/> is empty or too long, or <paramref name="type"/> is another value.</exception>
    PublishResult Publish(string topic, ReadOnlySpan<byte> payload, MessageType type);

    /// <summary>Adds up what the server has counted since it started.</summary>
    /// <returns>The totals at about the same instant.</returns>
    ServerStatistics GetStatistics();
}
