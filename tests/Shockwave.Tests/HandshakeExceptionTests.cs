namespace Shockwave.Tests;

public sealed class HandshakeExceptionTests
{
    [Fact]
    public void StatusOfTheAnswer_IsKeptAndNamed()
    {
        var exception = new HandshakeException("the server did not answer 101", 503);
        Assert.Equal((503, "the server did not answer 101"), (exception.StatusCode, exception.Reason));
        Assert.Equal("The opening handshake failed with HTTP status 503: the server did not answer 101.", exception.Message);
    }

    [Fact]
    public void FailureBeforeAnyAnswer_HasNoStatusButACause()
    {
        var cause = new TimeoutException();
        var exception = new HandshakeException("no answer in time", innerException: cause);
        Assert.Null(exception.StatusCode);
        Assert.Same(cause, exception.InnerException);
        Assert.Equal("The opening handshake failed: no answer in time.", exception.Message);
    }
}
