using System.Buffers.Binary;
using System.Text;
using Shockwave.Testing;

namespace Shockwave.Tests;

/// <summary>A connection on a loop whose peer notes what it gets, and what it is to get: messages that begin with the name of what they are for.</summary>
internal sealed class LoopSubscriber(FakePeer peer)
{
    private readonly Dictionary<string, List<string>> _expected = [];
    private readonly List<byte> _received = [];

    public required WebSocketConnection Connection { get; init; }

    public FakePeer Peer => peer;

    /// <summary>Gets the topics that it is subscribed to, once everything posted is done.</summary>
    public HashSet<string> Topics { get; } = [];

    /// <summary>Gets or sets whether the connection is at its end: what follows it may get or not.</summary>
    public bool IsOver { get; set; }

    public void Expect(string name, string text)
    {
        if (!_expected.TryGetValue(name, out var texts))
        {
            _expected.Add(name, texts = []);
        }

        texts.Add(text);
    }

    public void Take(int count)
    {
        byte[] bytes = new byte[Math.Min(count, peer.Available)];
        peer.Take(bytes);
        _received.AddRange(bytes);
    }

    /// <summary>Fails when something came that is not for it, twice, in another order or, while it lives, not at all.</summary>
    public void AssertHeard()
    {
        var heard = ReadTexts().GroupBy(text => text.Split(' ')[0]).ToDictionary(group => group.Key, group => group.ToList());
        foreach (var (name, texts) in heard)
        {
            Assert.Equal(_expected.GetValueOrDefault(name, []).Take(texts.Count), texts);
        }

        if (!IsOver)
        {
            Assert.Equal(_expected.Values.Sum(texts => texts.Count), heard.Values.Sum(texts => texts.Count));
        }
    }

    // Up to a Close frame, behind which nothing may be, or where a connection that is over was cut.
    private IEnumerable<string> ReadTexts()
    {
        byte[] bytes = [.. _received];
        for (int position = 0; position + 4 <= bytes.Length;)
        {
            if (bytes[position] == 0x88)
            {
                Assert.Equal(bytes.Length, position + 2 + bytes[position + 1]);
                break;
            }

            Assert.Equal(0x81, bytes[position]);
            bool isLong = bytes[position + 1] == 126;
            int length = isLong ? BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(position + 2)) : bytes[position + 1];
            position += isLong ? 4 : 2;
            if (position + length > bytes.Length)
            {
                break;
            }

            yield return Encoding.UTF8.GetString(bytes, position, length);
            position += length;
        }
    }
}
