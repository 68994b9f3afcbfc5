using System.IO.Pipelines;

namespace Shockwave.AspNetCore;

/// <summary>One end of two pipes.</summary>
internal sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
{
    public PipeReader Input => input;

    public PipeWriter Output => output;
}
