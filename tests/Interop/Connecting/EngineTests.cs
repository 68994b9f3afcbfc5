namespace Shockwave.Interop.Connecting;

public sealed class IoUringTests(NodeServer server) : ClientTests(server, EngineKind.IoUring), IClassFixture<NodeServer>;

public sealed class PortableTests(NodeServer server) : ClientTests(server, EngineKind.Portable), IClassFixture<NodeServer>;
