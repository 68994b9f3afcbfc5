namespace Shockwave.Protocol.Tests;

public sealed class CloseHandshakeTests
{
    [Fact]
    public void NobodyCloses_TheEndIsAbnormal()
    {
        var close = default(CloseHandshake);
        AssertState(close, CloseState.Open, sent: null, received: null, outcome: CloseCode.AbnormalClosure);
        Assert.True(close.MaySendData);
        Assert.True(close.MayReceiveData);
    }

    [Fact]
    public void WeClose_ThePeerAnswers()
    {
        var close = default(CloseHandshake);
        Assert.True(close.TrySend(CloseCode.GoingAway));
        AssertState(close, CloseState.CloseSent, sent: CloseCode.GoingAway, received: null, outcome: CloseCode.GoingAway);
        Assert.False(close.MaySendData);
        Assert.True(close.MayReceiveData);

        Assert.True(close.TryReceive(CloseCode.NormalClosure));
        AssertState(close, CloseState.Completed, CloseCode.GoingAway, CloseCode.NormalClosure, outcome: CloseCode.GoingAway);
        Assert.False(close.IsPeerFirst);
        Assert.False(close.MayReceiveData);
    }

    [Fact]
    public void ThePeerCloses_WeAnswerWithItsCode()
    {
        var close = default(CloseHandshake);
        Assert.True(close.TryReceive((CloseCode)4000));
        AssertState(close, CloseState.CloseReceived, sent: null, received: (CloseCode)4000, outcome: (CloseCode)4000);
        Assert.True(close.MaySendData);
        Assert.False(close.MayReceiveData);

        Assert.True(close.TrySend(close.Answer));
        AssertState(close, CloseState.Completed, (CloseCode)4000, (CloseCode)4000, outcome: (CloseCode)4000);
        Assert.True(close.IsPeerFirst);
    }

    [Fact]
    public void ThePeerClosesWithoutACode_WeAnswerWithout()
    {
        var close = default(CloseHandshake);
        Assert.True(close.TryReceive(CloseCode.NoStatusReceived));
        Assert.Equal(CloseCode.NoStatusReceived, close.Answer);
        Assert.True(close.TrySend(close.Answer));
        AssertState(close, CloseState.Completed, CloseCode.NoStatusReceived, CloseCode.NoStatusReceived, outcome: CloseCode.NoStatusReceived);
    }

    // Both Close frames cross on their way: to us ours was the first.
    [Fact]
    public void BothClose_OursCountsBecauseItWasSentFirst()
    {
        var close = default(CloseHandshake);
        Assert.True(close.TrySend(CloseCode.ServiceRestart));
        Assert.True(close.TryReceive(CloseCode.GoingAway));
        Assert.Equal(CloseCode.ServiceRestart, close.Outcome);
        Assert.False(close.IsPeerFirst);
    }

    [Fact]
    public void WeFailTheConnection_AndThePeerNeverAnswers()
    {
        var close = default(CloseHandshake);
        Assert.True(close.TrySend(CloseCode.ProtocolError));
        Assert.False(close.TrySend(CloseCode.NormalClosure));
        AssertState(close, CloseState.CloseSent, CloseCode.ProtocolError, received: null, outcome: CloseCode.ProtocolError);
    }

    [Fact]
    public void SecondFrames_ChangeNothing()
    {
        var close = default(CloseHandshake);
        Assert.True(close.TryReceive(CloseCode.NormalClosure));
        Assert.False(close.TryReceive(CloseCode.GoingAway));
        Assert.True(close.TrySend(CloseCode.NormalClosure));
        Assert.False(close.TrySend(CloseCode.InternalError));
        Assert.False(close.TryReceive(CloseCode.InternalError));
        AssertState(close, CloseState.Completed, CloseCode.NormalClosure, CloseCode.NormalClosure, outcome: CloseCode.NormalClosure);
        Assert.True(close.IsPeerFirst);
    }

    [Fact]
    public void Answer_WithoutAFrameToAnswerIsNormalClosure() => Assert.Equal(CloseCode.NormalClosure, default(CloseHandshake).Answer);

    [Fact]
    public void States_AreEqualWhenEverythingIs()
    {
        CloseHandshake open = default, sent = default, received = default, sentFirst = default, receivedFirst = default, other = default;
        sent.TrySend(CloseCode.NormalClosure);
        received.TryReceive(CloseCode.NormalClosure);
        sentFirst.TrySend(CloseCode.NormalClosure);
        sentFirst.TryReceive(CloseCode.NormalClosure);
        receivedFirst.TryReceive(CloseCode.NormalClosure);
        receivedFirst.TrySend(CloseCode.NormalClosure);
        other.TrySend(CloseCode.NormalClosure);

        Assert.True(sent == other);
        Assert.True(sent.Equals((object)other));
        Assert.Equal(sent.GetHashCode(), other.GetHashCode());
        Assert.True(open != sent);
        Assert.True(sent != received);
        Assert.True(sent != sentFirst);
        Assert.True(sentFirst != receivedFirst);
        Assert.False(sent.Equals("sent"));
    }

    private static void AssertState(in CloseHandshake close, CloseState state, CloseCode? sent, CloseCode? received, CloseCode outcome)
    {
        Assert.Equal(state, close.State);
        Assert.Equal(sent, close.Sent);
        Assert.Equal(received, close.Received);
        Assert.Equal(outcome, close.Outcome);
    }
}
