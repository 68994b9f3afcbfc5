namespace Shockwave.Tests;

/// <summary>Connection options without a server or a client around them.</summary>
internal sealed class TestOptions : ConnectionOptions;
