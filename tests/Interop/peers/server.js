// A server of the npm package ws, and some servers that are wrong on purpose. The path says how it behaves.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const http = createServer((_, response) => response.writeHead(426).end());
const accept = (key) => createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");

const answer = (socket, ...lines) => socket.end(lines.join("\r\n") + "\r\n\r\n");
const switching = (request) => ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept(request.headers["sec-websocket-key"])}`];

// Answers that a client must refuse.
const refusals = {
  "/unauthorized": (socket) => answer(socket, "HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Bearer", "Content-Length: 0"),
  "/redirect": (socket) => answer(socket, "HTTP/1.1 302 Found", "Location: /echo", "Content-Length: 0"),
  "/wrong-accept": (socket) => answer(socket, "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept("other")}`),
  "/unsolicited-extension": (socket, request) => answer(socket, ...switching(request), "Sec-WebSocket-Extensions: permessage-deflate"),
  "/unsolicited-subprotocol": (socket, request) => answer(socket, ...switching(request), "Sec-WebSocket-Protocol: nobody-asked"),
};

const behaviours = {
  "/echo": (ws) => ws.on("message", (data, binary) => ws.send(data, { binary })),

  // First what was agreed on and at last, when asked, how many bytes came: compression is seen here.
  "/deflate": (ws, request) => {
    ws.send(request.agreed);
    ws.on("message", (data, binary) => ws.send(data.toString() === "bytes?" ? `${ws._socket.bytesRead}` : data, { binary }));
  },

  "/fragments": (ws) =>
    ws.on("message", (data, binary) => {
      const size = Math.max(1, Math.ceil(data.length / 100));
      for (let at = 0; at < data.length; at += size) {
        ws.send(data.subarray(at, at + size), { binary, fin: false });
        ws.ping();
      }
      ws.send("", { binary, fin: true });
    }),

  "/request": (ws, request) => ws.send(JSON.stringify({ ...request.headers, subprotocol: ws.protocol })),

  "/pings": (ws) => {
    ws.on("pong", (payload) => ws.send(`pong ${payload}`));
    ws.ping("from the server");
  },

  "/closes": (ws) => ws.close(4002, "enough of that"),
  "/reports-close": (ws) => ws.on("close", (code, reason) => console.log(`closed ${code} ${reason}`)),
  "/vanishes": (ws) => ws.on("message", () => ws.terminate()),
};

function serverFor(url) {
  const asked = url.searchParams;
  const deflate = asked.has("deflate") && {
    threshold: 0,
    // To ws, false is not the opposite of true but a refusal of every client that asks for it.
    serverNoContextTakeover: asked.get("server") === "no" || undefined,
    clientNoContextTakeover: asked.get("client") === "no" || undefined,
  };
  const server = new WebSocketServer({ noServer: true, maxPayload: 0, perMessageDeflate: deflate, handleProtocols: (offered) => offered.has("chat.v2") && "chat.v2" });
  server.on("headers", (headers, request) => (request.agreed = headers.find((line) => line.startsWith("Sec-WebSocket-Extensions")) ?? "none"));
  return server;
}

http.on("upgrade", (request, socket, head) => {
  socket.on("error", () => {});
  const url = new URL(request.url, "http://localhost");
  if (refusals[url.pathname]) {
    refusals[url.pathname](socket, request);
    return;
  }
  serverFor(url).handleUpgrade(request, socket, head, (ws) => {
    ws.on("error", (error) => console.log(`error ${error.message}`));
    behaviours[url.pathname](ws, request);
  });
});

http.listen(0, "127.0.0.1", () => console.log(`ready ws://127.0.0.1:${http.address().port}`));
