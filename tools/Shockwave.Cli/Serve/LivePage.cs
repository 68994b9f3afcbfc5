namespace Shockwave.Cli.Serve;

/// <summary>The page at <c>/</c> and what belongs to it, out of the assembly.</summary>
internal static class LivePage
{
    private static readonly (string Path, string File, string ContentType)[] _files =
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/live.css", "live.css", "text/css; charset=utf-8"),
        ("/live.js", "live.js", "text/javascript; charset=utf-8"),
    ];

    public static void Map(WebApplication app)
    {
        foreach (var (path, file, contentType) in _files)
        {
            byte[] content = Read(file);
            app.MapGet(path, (HttpContext context) =>
            {
                var headers = context.Response.Headers;

                // What people write on a topic is shown to others: nothing but our own files may run, whatever it says.
                headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
                headers.XContentTypeOptions = "nosniff";
                headers.CacheControl = "no-cache";
                headers["Referrer-Policy"] = "no-referrer";
                return Results.Bytes(content, contentType);
            });
        }
    }

    private static byte[] Read(string file)
    {
        using var stream = typeof(LivePage).Assembly.GetManifestResourceStream($"wwwroot/{file}")!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
