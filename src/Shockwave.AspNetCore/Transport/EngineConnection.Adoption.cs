using System.Buffers;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Shockwave.AspNetCore;

internal sealed partial class EngineConnection
{
    // Set by the request, taken once: by the adoption, or by whatever comes in between.
    private PendingAdoption? _adoption;
    private bool _isHeld;

    /// <summary>Gets or sets whether the request that is under way runs inside the <see cref="AdoptionGuard"/>.</summary>
    public bool IsGuarded { get; set; }

    /// <summary>Gets whether the loop may serve what follows the upgrade: whether nobody stands between Kestrel's upgraded stream and our socket.</summary>
    /// <remarks>
    /// Connection middleware (TLS, logging, an application's own) puts its own pipes in place of ours while it runs, and middleware of the
    /// request may wrap the stream: in front of any of them frames would reach the socket in clear, or unseen.
    /// </remarks>
    public bool CanBeAdopted(HttpContext context, Stream upgraded) =>
        IsGuarded
        && ReferenceEquals(Transport, _kestrelPipes)
        && ReferenceEquals(context.Features.Get<IConnectionTransportFeature>()?.Transport, _kestrelPipes)
        && upgraded.GetType().Assembly == typeof(KestrelServerOptions).Assembly;

    /// <summary>
    /// Asks for the adoption once Kestrel lets go of the connection. The 101 response is written. It is only a request: see
    /// <see cref="WithdrawAdoption"/> and <see cref="ConfirmAdoption"/>.
    /// </summary>
    public void RequestAdoption(ShockwaveRuntime runtime, MessageDispatcher dispatcher, UpgradeDetails upgrade)
    {
        Volatile.Write(ref _adoption, new PendingAdoption(runtime, dispatcher, upgrade, _kestrelOutput.BytesWritten));

        // What the peer sends from now on waits in the socket for whoever adopts it.
        _owner.Post(this, null, (long)Step.HoldInput);
    }

    /// <summary>Says that all middleware around the endpoint returned properly.</summary>
    public void ConfirmAdoption() => Volatile.Read(ref _adoption)?.Confirm();

    private void WithdrawAdoption(string reason) => Interlocked.Exchange(ref _adoption, null)?.Withdraw(reason);

    private void HoldInput()
    {
        _isHeld = true;
        _transport.Pause();
    }

    private void Adopt()
    {
        // What ended the request meanwhile has posted the close as well.
        if (Interlocked.Exchange(ref _adoption, null) is not { } adoption)
        {
            return;
        }

        if (FindObstacle(adoption) is { } obstacle)
        {
            adoption.Withdraw(obstacle);
            _transport.CloseAfterSending();
            return;
        }

        ReturnInput();
        adoption.Begin(_transport);
        Release();
    }

    private string? FindObstacle(PendingAdoption adoption)
    {
        if (!adoption.IsConfirmed)
        {
            return "middleware failed after the endpoint";
        }

        if (adoption.BytesWritten != _kestrelOutput.BytesWritten)
        {
            return "middleware wrote to the response after the endpoint";
        }

        return _isInputOver ? "the client left" : null;
    }

    // What came right behind the request is still in the pipe: Kestrel did not look at it.
    private void ReturnInput()
    {
        if (_input.Reader.TryRead(out var result))
        {
            _transport.Unread(result.Buffer.IsSingleSegment ? result.Buffer.FirstSpan : result.Buffer.ToArray());
            _input.Reader.AdvanceTo(result.Buffer.End);
        }
    }
}
