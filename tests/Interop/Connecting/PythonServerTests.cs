namespace Shockwave.Interop.Connecting;

public sealed class PythonServerTests(PythonServer server) : ClientTests(server), IClassFixture<PythonServer>;
