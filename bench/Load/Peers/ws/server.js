// npm ws as its users write it; no optional native add-ons, as it installs by default.
import { WebSocketServer } from 'ws';

const port = Number(process.argv[2]);
const topics = new Map();
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, maxPayload: 16 * 1024 * 1024, backlog: 4096 });

server.on('listening', () => console.log('ready'));
server.on('connection', (socket, request) => {
  socket.on('error', () => {}); // the client is gone
  if (request.url === '/echo') {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
    return;
  }

  const subscribers = topics.get(request.url) ?? new Set();
  topics.set(request.url, subscribers);
  subscribers.add(socket);
  socket.on('close', () => subscribers.delete(socket));
  socket.on('message', (message, isBinary) => {
    for (const subscriber of subscribers) {
      subscriber.send(message, { binary: isBinary });
    }
  });
});
