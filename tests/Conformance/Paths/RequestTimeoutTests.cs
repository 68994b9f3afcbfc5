using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;

namespace Shockwave.Conformance;

/// <summary>A request-timeout policy of the application ends its slow requests and no connection, over each path.</summary>
public sealed class RequestTimeoutTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);

    [Theory]
    [MemberData(nameof(PathServers.All), MemberType = typeof(PathServers))]
    public async Task Policy_EndsARequestAndNoConnection(ServerPath path)
    {
        await using var server = await PathServer.StartAsync(
            path,
            map: application =>
            {
                application.UseRequestTimeouts();
                application.MapGet("/slow", (HttpContext context) => new TaskCompletionSource().Task.WaitAsync(context.RequestAborted));
            },
            addServices: services => services.AddRequestTimeouts(options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(1) }));
        using var client = await server.OpenAsync();
        await client.AssertEchoAsync("before").WaitAsync(_limit);

        // Begun later, and timed out: the connection's time is up as well.
        Assert.Equal(HttpStatusCode.GatewayTimeout, await AskSlowAsync(server).WaitAsync(_limit));
        await client.AssertEchoAsync("behind").WaitAsync(_limit);
        server.AssertPath();
    }

    private static async Task<HttpStatusCode> AskSlowAsync(PathServer server)
    {
        if (server.IsHttp2)
        {
            using var answer = await server.RequestAsync("/slow", HttpMethod.Get, protocol: null, "");
            return answer.StatusCode;
        }

        using var client = await server.ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes($"GET /slow HTTP/1.1\r\nHost: {server.EndPoint}\r\n\r\n"));
        return (HttpStatusCode)int.Parse((await client.ReadHeadAsync()).AsSpan(9, 3), null);
    }
}
